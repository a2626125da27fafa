import { runnerKey } from '@baton/shared/contracts';
import { at } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';

let bench: Bench;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  janitor = await bench.janitor();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

describe('deleteRunner', () => {
  test.each(['none', 'github'] as const)(
    'removes instance, registration and record through gate %s, and says so once',
    async (gate) => {
      const runner = await bench.running(await bench.register(`all-${gate}`), gate);

      const outcome = await bench.delete(janitor, runner);
      await bench.runners.put(runnerKey(runner.scaleSetId, runner.runnerId), runner);
      await bench.delete(janitor, runner);

      expect(outcome).toEqual({ kind: 'done' });
      expect(await bench.hasInstance(runner)).toBe(false);
      expect(await bench.isRegistered(runner)).toBe(false);
      expect(await bench.read(runner)).toBeUndefined();
      expect(await bench.events(runner)).toEqual(['runner.deleted']);
    },
  );

  test('is done with what is neither in the provider nor at GitHub', async () => {
    const runner = await bench.record(await bench.register('nothing-left'));

    await bench.delete(janitor, runner);

    expect(await bench.read(runner)).toBeUndefined();
  });

  test('finds an instance and a registration whose ids nobody wrote down', async () => {
    const { githubRunnerId, instanceId, ...rest } = await bench.running(
      await bench.register('unknown-ids'),
      'none',
    );
    const creator = { v: 1 as const, identity: 'provisioner-0', incarnation: 'gone' };
    await bench.runners.put(runnerKey(rest.scaleSetId, rest.runnerId), { ...rest, creator });

    await bench.delete(janitor, rest);

    expect([githubRunnerId, instanceId]).not.toContain(undefined);
    expect(await bench.hasInstance(rest)).toBe(false);
    expect(await bench.isRegistered(rest)).toBe(false);
  });

  test('leaves a runner alone that is not marked, and one that is gone', async () => {
    const set = await bench.register('not-marked');
    const { mark: _mark, ...runner } = await bench.running(set, 'none');
    const busy = { ...runner, state: 'busy' as const };
    await bench.runners.put(runnerKey(busy.scaleSetId, busy.runnerId), busy);

    await bench.delete(janitor, busy);
    const gone = await bench.delete(janitor, { ...busy, runnerId: 'gone' });

    expect(gone).toEqual({ kind: 'done' });
    expect(await bench.read(busy)).toEqual(busy);
    expect(await bench.hasInstance(busy)).toBe(true);
  });

  test('lets two janitors delete one runner at once', async () => {
    const runner = await bench.running(await bench.register('two-janitors'), 'none');
    const other = await bench.janitor();

    await Promise.all([janitor, other, janitor].map((one) => bench.delete(one, runner)));
    await bench.delete(other, runner);

    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.isRegistered(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.events(runner)).toEqual(['runner.deleted']);
  });

  test.each([
    { name: 'begun', gate: 'none', instanceDeleted: false, deregistered: false },
    { name: 'instance-gone', gate: 'none', instanceDeleted: true, deregistered: false },
    { name: 'deregistered', gate: 'github', instanceDeleted: false, deregistered: true },
    { name: 'both-done', gate: 'none', instanceDeleted: true, deregistered: true },
  ] as const)('carries on where a janitor stopped: $name', async (part) => {
    const { name, gate, instanceDeleted, deregistered } = part;
    const runner = await bench.running(await bench.register(`crash-${name}`), gate);
    if (instanceDeleted) await bench.provider.delete(runner.instanceId ?? '', signal);
    if (deregistered) await bench.github().client.removeRunner(runner.githubRunnerId ?? 0);
    const deletion = { attempts: 0, instanceDeleted, deregistered };
    const stopped = { ...runner, state: 'deleting' as const, deletion };
    await bench.runners.put(runnerKey(runner.scaleSetId, runner.runnerId), stopped);

    if (deregistered) await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    await bench.sim.control.clearFaults();

    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.isRegistered(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.events(runner)).toEqual(['runner.deleted']);
  });
});

describe('a runner that has a job', () => {
  test('stays, and its mark goes, when GitHub keeps the gate', async () => {
    const set = await bench.register('busy-gate-github');
    const runner = await bench.running(set, 'github');
    await bench.giveJob(set);

    await bench.delete(janitor, runner);

    const kept = await bench.read(runner);
    expect(kept).toMatchObject({ state: 'busy', instanceId: runner.instanceId });
    expect(kept).not.toHaveProperty('mark');
    expect(kept).not.toHaveProperty('deletion');
    expect(await bench.hasInstance(runner)).toBe(true);
    expect(await bench.isRegistered(runner)).toBe(true);
    expect(await bench.events(runner)).toEqual(['runner.kept']);
  });

  test('is kept for as long as GitHub says so, and stays given up, when it counts as lost', async () => {
    const set = await bench.register('busy-lost');
    const runner = await bench.running(set, 'github');
    const mark = { reason: 'lost', gate: 'github', by: 'provisioner', at } as const;
    await bench.runners.put(runnerKey(runner.scaleSetId, runner.runnerId), { ...runner, mark });
    await bench.giveJob(set);

    await bench.delete(janitor, runner);
    const kept = await bench.read(runner);
    const alive = await bench.hasInstance(runner);
    await bench.sim.control.dropRegistrations({ scaleSet: 'busy-lost', busy: true, told: false });
    await bench.clock.advance(10_000);
    await bench.delete(janitor, runner);

    expect(alive).toBe(true);
    expect(kept).toMatchObject({
      state: 'deleting',
      mark: { reason: 'lost' },
      deletion: { attempts: 1, instanceDeleted: false, deregistered: false },
    });
    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
  });

  test.each([
    { name: 'busy-gate-none', gate: 'none', part: {} },
    { name: 'busy-exited', gate: 'github', part: { exit: { code: 1, at } } },
  ] as const)(
    'loses its instance when the gate is open, and stays owed to GitHub: $name',
    async (c) => {
      const set = await bench.register(c.name);
      const runner = { ...(await bench.running(set, c.gate)), ...c.part };
      await bench.runners.put(runnerKey(runner.scaleSetId, runner.runnerId), runner);
      await bench.giveJob(set);

      await bench.delete(janitor, runner);

      expect(await bench.hasInstance(runner)).toBe(false);
      expect(await bench.read(runner)).toMatchObject({
        state: 'deleting',
        deletion: {
          attempts: 1,
          instanceDeleted: true,
          deregistered: false,
          lastError: 'GitHub still believes that the runner runs a job',
        },
      });
    },
  );
});
