import type { Mark, Runner } from '@baton/shared/contracts';
import { eventually } from '@baton/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor, type TestSet } from '../testing/bench.ts';
import { WatchedProvider } from '../testing/watched-provider.ts';

let bench: Bench;
let provider: WatchedProvider;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  provider = new WatchedProvider(bench.provider);
  janitor = await bench.janitor(provider);
});
afterEach(async () => {
  await bench.sim.control.clearFaults();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const minuteMs = 60_000;

/** Records of runners that are marked; their instances are gone already, and GitHub knows them by id. */
async function many(set: TestSet, count: number, gate: Mark['gate']): Promise<Runner[]> {
  const ids = Array.from({ length: count }, (_, n) => `${gate}${n}`);
  const mark = {
    reason: 'exited',
    gate,
    by: 'provisioner p-0',
    at: new Date(bench.clock.now()).toISOString(),
  } as const;
  return await Promise.all(
    ids.map((runnerId, n) =>
      bench.record(set, { runnerId, mark, instanceId: runnerId, githubRunnerId: 10_000 + n }),
    ),
  );
}

const deleteAll = async (runners: readonly Runner[]) =>
  await Promise.all(runners.map((runner) => bench.delete(janitor, runner)));

describe('twenty minutes of 503', () => {
  test('delete no instance that GitHub has to let go first, every other one, and are made good afterwards', async () => {
    const set = await bench.register('twenty-minutes');
    const shut = await many(set, 20, 'github');
    const open = await many(set, 20, 'none');
    await bench.sim.control.outage(600_000);
    const before = provider.deleted.length;

    await deleteAll([...shut, ...open]);
    const atOnce = provider.deleted.slice(before);
    for (let minute = 0; minute < 20; minute += 1) {
      await bench.clock.advance(minuteMs);
      await deleteAll([...shut, ...open]);
    }
    const inOutage = provider.deleted.slice(before);
    await bench.sim.control.clearFaults();
    await bench.clock.advance(6 * minuteMs);
    await deleteAll([...shut, ...open]);

    expect(atOnce.toSorted()).toEqual(open.map(({ runnerId }) => runnerId).toSorted());
    expect(inOutage).toEqual(atOnce);
    expect(provider.deleted.slice(before)).toHaveLength(40);
    expect(await bench.runners.list(set.spec.scaleSetId)).toEqual([]);
  });
});

describe('while GitHub hangs', () => {
  test('a hundred instances with an open gate go all the same, with four hands', async () => {
    const set = await bench.register('github-hangs');
    const few = await bench.janitor(provider, { deleteConcurrency: 4 });
    await bench.sim.control.addFault({ route: 'removeRunner', action: { kind: 'hang' } });
    const runners = await many(set, 100, 'none');
    const before = provider.deleted.length;

    const deleting = Promise.all(runners.map((runner) => bench.delete(few, runner)));
    // Only a hand of GitHub's is held for the half minute that it has to answer.
    await eventually(() => expect(provider.deleted.length - before).toBe(100));
    const owed = await eventually(async () => {
      const records = await bench.runners.list(set.spec.scaleSetId);
      expect(records.every(({ value }) => value.deletion?.instanceDeleted)).toBe(true);
      return records.length;
    });
    await bench.sim.control.clearFaults();
    await bench.clock.advance(few.limits.deregisterTimeoutMs);
    await bench.clock.advance(0);
    await eventually(async () => {
      await bench.clock.advance(10_000);
      await Promise.all(runners.map((runner) => bench.delete(few, runner)));
      expect(await bench.runners.list(set.spec.scaleSetId)).toEqual([]);
    });
    await deleting;

    expect(owed).toBe(100);
  });
});
