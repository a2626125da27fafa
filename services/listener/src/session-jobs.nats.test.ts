import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };
const assigned = (job: string | undefined) => `job.assigned ${job}`;

describe('jobs of a session that was replaced', () => {
  test('are reported when GitHub takes them back as cancelled, until it assigns them again', async () => {
    const set = await aServedSet({ endedSessionJobs: 'retract' });
    const { control, declare } = set;
    const jobs = await control.addJobs({ scaleSet: 'linux', count: 2 });
    await set.untilFacts(...jobs.map(assigned));
    await set.untilEmpty();
    // Nothing is assigned again at once.
    await declare.free(0);
    await eventually(async () => expect((await set.session())?.heldCapacity).toBe(0), patient);

    await control.evictSession('linux');

    const condition = await eventually(async () => {
      const { conditions = [] } = (await set.status()) ?? {};
      expect(conditions.map(({ type }) => type)).toContain('jobs-retracted');
      return conditions.find(({ type }) => type === 'jobs-retracted');
    }, patient);
    expect(condition?.text).toMatch(/^2 jobs came back as cancelled when a session was replaced/);
    const told = set.lines.filter(({ msg }) => msg === 'job was retracted by github');
    expect(new Set(told.map(({ jobId }) => jobId))).toEqual(new Set(jobs));
    expect(told).toHaveLength(2);
    await eventually(async () => {
      expect(new Set(await set.facts())).toEqual(
        new Set(jobs.flatMap((job) => [assigned(job), `job.completed ${job}`])),
      );
      expect((await set.record())?.demand?.assigned).toBe(0);
      expect(await set.events()).toContainEqual(
        expect.objectContaining({ condition: 'jobs-retracted', text: condition?.text }),
      );
    }, patient);

    await declare.free(10);

    await eventually(async () => {
      expect((await set.status())?.conditions).toEqual([]);
      expect((await set.record())?.demand?.assigned).toBe(2);
    }, patient);
  });
});

describe('jobs that Enterprise Server offers', () => {
  test('become facts when they were granted, and only then', async () => {
    const set = await aServedSet({ dialect: 'ghes' });
    const { control } = set;
    const slow = { kind: 'delay', ms: 400 } as const;
    await control.addFault({ id: 'acquire', route: 'acquireJobs', first: 1, action: slow });

    const [first, second, taken = ''] = await control.addJobs({ scaleSet: 'linux', count: 3 });
    await eventually(async () => expect(await set.struck('acquire')).toBe(1), patient);
    await control.cancelJob(taken);

    await set.untilFacts(assigned(first), assigned(second), `job.completed ${taken}`);
    await set.untilEmpty();
    expect(set.lines).toContainEqual(
      expect.objectContaining({ msg: 'acquired', offered: 3, granted: 2 }),
    );
    await eventually(async () => expect((await set.record())?.demand?.assigned).toBe(2), patient);
  });

  test('are found in its list when what they were offered with was lost', async () => {
    const set = await aServedSet({ dialect: 'ghes' });
    const { control } = set;
    const refused = { kind: 'status', status: 400, body: '{"message":"not now"}' } as const;
    await control.addFault({ id: 'acquire', route: 'acquireJobs', first: 1, action: refused });
    await control.addFault({
      id: 'list',
      route: 'listAcquirableJobs',
      action: { kind: 'delay', ms: 0 },
    });
    const jobs = await control.addJobs({ scaleSet: 'linux', count: 2 });
    await eventually(async () => expect(await set.struck('acquire')).toBe(1), patient);
    await set.untilEmpty();
    expect(await set.facts()).toEqual([]);

    await control.evictSession('linux');

    await set.untilFacts(...jobs.map(assigned));
    await set.untilEmpty();
    expect(await set.asked('list')).toBeGreaterThan(0);
    expect((await control.books()).jobs).toMatchObject({ assigned: 2, available: 0 });
  });
});
