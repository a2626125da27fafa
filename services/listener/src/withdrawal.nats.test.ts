import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';

/** Ten minutes, one minute and twelve hours in production. */
const withdrawal = { emptyMs: 700, minSessionMs: 200, maxAwayMs: 60_000 };
const lookMs = { timeoutMs: 10_000 };

describe('a scale set whose provider has no room for long', () => {
  test('tells 0, then closes its session, and opens one when there is room again', async () => {
    const { declare, plan, capacities, session, status, github } = await aManager({ withdrawal });
    await declare('linux');
    await plan('linux', { free: 3 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(3));
    const before = await session('linux');

    await plan('linux', { free: 0 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(0));
    expect((await session('linux'))?.id).toBe(before?.id);
    await eventually(async () => expect(await session('linux')).toBeUndefined(), lookMs);

    await eventually(async () =>
      expect(await status('linux')).toMatchObject({
        state: 'waiting',
        reason: 'no capacity: the session is closed until the provider has room',
      }),
    );
    expect((await capacities('linux')).at(-1)).toBe(0);
    await github.addJobs({ scaleSet: 'linux' });
    await plan('linux', { free: 2 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(2), lookMs);
    await eventually(async () => expect((await status('linux'))?.state).toBe('polling'));
    expect((await github.state()).jobs.assigned).toBe(1);
  });

  test.each([
    ['runners live', { alive: ['r1'] }, 0],
    ['jobs are assigned', { alive: [] }, 1],
  ])('keeps its session while %s, and closes it when they are gone', async (_what, part, jobs) => {
    const { declare, plan, session, github } = await aManager({ withdrawal });
    await declare('linux', { maxRunners: 1 });
    await plan('linux', { free: 1, ...part });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    const ids = jobs > 0 ? await github.addJobs({ scaleSet: 'linux', count: jobs }) : [];
    await eventually(async () => expect((await github.state()).jobs.assigned).toBe(jobs));
    const before = await session('linux');

    await declare('linux', { maxRunners: 0 });
    await plan('linux', { free: 0, ...part });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(0));
    const emptyAt = performance.now();
    await eventually(
      () => expect(performance.now() - emptyAt).toBeGreaterThan(3 * withdrawal.emptyMs),
      lookMs,
    );
    expect((await session('linux'))?.id).toBe(before?.id);

    for (const id of ids) await github.cancelJob(id);
    await plan('linux', { free: 0, alive: [] });
    await eventually(async () => expect(await session('linux')).toBeUndefined(), lookMs);
  });

  test('is polled now and then without room, so that GitHub does not delete it', async () => {
    const policy = { ...withdrawal, maxAwayMs: 300 };
    const { declare, session, capacities } = await aManager({ withdrawal: policy });

    await declare('linux');

    await eventually(async () => expect(await session('linux')).toBeDefined(), lookMs);
    await eventually(async () => expect(await session('linux')).toBeUndefined(), lookMs);
    await eventually(async () => expect(await session('linux')).toBeDefined(), lookMs);
    expect(new Set(await capacities('linux'))).toEqual(new Set([0]));
  });

  test('that was withdrawn is disabled and enabled again within seconds', async () => {
    const { declare, plan, session, status } = await aManager({ withdrawal });
    await declare('linux');
    await eventually(async () => expect((await status('linux'))?.reason).toBeDefined(), lookMs);

    await declare('linux', { enabled: false });
    await eventually(async () => expect((await status('linux'))?.state).toBe('disabled'));
    await plan('linux', { free: 1 });
    await declare('linux', { enabled: true });

    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
  });
});

describe('two scale sets with the same labels', () => {
  const labels = ['shared'];

  test('work goes to the one that has room while the other tells 0', async () => {
    const { declare, plan, session, atGitHub, github } = await aManager();
    await declare('full', { labels });
    await declare('roomy', { labels });
    await plan('full', { free: 0 });
    await plan('roomy', { free: 10 });
    await eventually(async () => {
      expect((await session('full'))?.heldCapacity).toBe(0);
      expect((await session('roomy'))?.heldCapacity).toBe(10);
    });

    await github.addJobs({ labels, count: 6 });

    await eventually(async () =>
      expect((await atGitHub('roomy'))?.statistics.totalAssignedJobs).toBe(6),
    );
    expect((await atGitHub('full'))?.statistics.totalAssignedJobs).toBe(0);
  });

  test('are filled up to what each tells, and no further', async () => {
    const { declare, plan, session, atGitHub, github } = await aManager();
    await declare('small', { labels });
    await declare('large', { labels });
    await plan('small', { free: 2 });
    await plan('large', { free: 5 });
    await eventually(async () => {
      expect((await session('small'))?.heldCapacity).toBe(2);
      expect((await session('large'))?.heldCapacity).toBe(5);
    });

    await github.addJobs({ labels, count: 20 });

    await eventually(async () => expect((await github.state()).jobs.assigned).toBe(7));
    expect((await atGitHub('small'))?.statistics.totalAssignedJobs).toBe(2);
    expect((await atGitHub('large'))?.statistics.totalAssignedJobs).toBe(5);
  });
});
