import { runnerKey, type Spec } from '@baton/shared/contracts';
import { aPlan, aRunner, at } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CapacityShare } from './capacity-share.ts';
import { periodicPass } from './periodic-pass.ts';
import { Planner } from './planner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';

let bench: Bench;
let one: Provisioner;
let other: Provisioner;

beforeAll(async () => {
  bench = await Bench.start();
  one = await bench.provisioner(new EmptyProvider());
  other = await bench.provisioner(new EmptyProvider());
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

async function planOf({ scaleSetId }: Spec) {
  const entry = await bench.stores.plans.get(scaleSetId);
  if (!entry) throw new Error('there is no plan');
  return entry;
}

/** The ids in the plan, among the records and among the create commands: the same, each once. */
async function expectRunners(spec: Spec, count: number): Promise<void> {
  const named = (await planOf(spec)).value.runners.map(({ runnerId }) => runnerId).sort();
  const recorded = (await bench.runnersOf(spec)).map(({ runnerId }) => runnerId).sort();
  const commanded = (await bench.commands('create', spec)).sort();

  expect(new Set(named).size).toBe(count);
  expect(recorded).toEqual(named);
  expect(commanded).toEqual(named);
}

describe('one demand', () => {
  test('is served once when two planners are told of it many times at once', async () => {
    const spec = await bench.declare('parallel');
    await bench.demand(spec, { assigned: 5 });

    await Promise.all(
      [one, other, one, other, other, one].map(({ planner }) => planner.reconcile(spec.scaleSetId)),
    );

    await expectRunners(spec, 5);
    const requested = (await bench.events(spec)).filter((type) => type === 'runner.requested');
    expect(requested).toHaveLength(5);
  });

  test('is served once when it grows while two planners work', async () => {
    const spec = await bench.declare('growing', { maxRunners: 20 });
    const work: Promise<void>[] = [];

    for (let assigned = 1; assigned <= 8; assigned += 1) {
      await bench.demand(spec, { assigned, seq: assigned });
      work.push(one.planner.reconcile(spec.scaleSetId), other.planner.reconcile(spec.scaleSetId));
    }
    await Promise.all(work);

    await expectRunners(spec, 8);
  });

  test('from an old epoch or an earlier message changes nothing', async () => {
    const spec = await bench.declare('fenced');
    await bench.demand(spec, { epoch: 7, seq: 2, assigned: 2 });
    await one.planner.reconcile(spec.scaleSetId);

    await bench.demand(spec, { epoch: 6, seq: 90, assigned: 9 });
    await other.planner.reconcile(spec.scaleSetId);
    await bench.demand(spec, { epoch: 7, seq: 1, assigned: 9 });
    await one.planner.reconcile(spec.scaleSetId);

    await expectRunners(spec, 2);
    expect((await planOf(spec)).value.demand).toMatchObject({ epoch: 7, seq: 2 });
  });

  test('that was applied is not written again', async () => {
    const spec = await bench.declare('quiet');
    await bench.demand(spec, { assigned: 1, traceparent: '00-1-2-01' });
    await one.planner.reconcile(spec.scaleSetId);
    await one.planner.reconcile(spec.scaleSetId);
    const { revision } = await planOf(spec);

    await one.planner.reconcile(spec.scaleSetId);
    await other.planner.reconcile(spec.scaleSetId);

    expect((await planOf(spec)).revision).toBe(revision);
  });

  test('of a scale set without a spec is nobody’s', async () => {
    await expect(one.planner.reconcile('unknown-set')).resolves.toBeUndefined();

    expect(await bench.stores.plans.get('unknown-set')).toBeUndefined();
  });
});

describe('a planner that died', () => {
  /** A plan that names one runner who has no record yet. Ids are unique over all scale sets. */
  const naming = (scaleSetId: string, runnerId: string) =>
    aPlan({ scaleSetId, runners: [{ runnerId, recorded: false, namedAt: at }] });

  test('after it wrote the plan has its runners made by the next', async () => {
    const spec = await bench.declare('died-after-plan');
    const { scaleSetId } = spec;
    await bench.demand(spec, { assigned: 1 });
    await bench.stores.plans.put(scaleSetId, naming(scaleSetId, 'planned1'));

    await Promise.all([one.planner.reconcile(scaleSetId), other.planner.reconcile(scaleSetId)]);

    await expectRunners(spec, 1);
    expect(await bench.runner(spec, 'planned1')).toMatchObject({ state: 'requested' });
  });

  test('after it wrote the record has its command sent by the pass, once', async () => {
    const spec = await bench.declare('died-after-record');
    const { scaleSetId } = spec;
    await bench.demand(spec, { assigned: 1 });
    await bench.stores.plans.put(scaleSetId, naming(scaleSetId, 'recorded1'));
    const stateAt = new Date(bench.clock.now()).toISOString();
    const record = aRunner({ scaleSetId, runnerId: 'recorded1', stateAt });
    await bench.stores.runners.put(runnerKey(scaleSetId, 'recorded1'), record);

    await Promise.all([periodicPass(one), periodicPass(other)]);
    expect(await bench.commands('create', spec)).toEqual([]);
    await bench.clock.advance(5_001);
    await Promise.all([periodicPass(one), periodicPass(other)]);

    await expectRunners(spec, 1);
  });

  test('before the janitor deleted the runner does not have it made again', async () => {
    const spec = await bench.declare('died-before-deletion');
    const { scaleSetId } = spec;
    const key = runnerKey(scaleSetId, 'deleted1');
    await bench.demand(spec, { assigned: 1 });
    await bench.stores.plans.put(scaleSetId, naming(scaleSetId, 'deleted1'));
    const revision = await bench.stores.runners.put(
      key,
      aRunner({ scaleSetId, runnerId: 'deleted1' }),
    );
    await bench.stores.runners.delete(key, revision);

    await Promise.all([one.planner.reconcile(scaleSetId), other.planner.reconcile(scaleSetId)]);

    expect(await bench.runner(spec, 'deleted1')).toBeUndefined();
    expect(await bench.commands('create', spec)).not.toContain('deleted1');
    await expectRunners(spec, 1);
  });

  test('after it marked an ended runner leaves no second mark or command to the next', async () => {
    const spec = await bench.declare('ended-runner');
    const { scaleSetId } = spec;
    const exited = aRunner({
      scaleSetId,
      runnerId: 'ended1',
      state: 'failed',
      failure: { class: 'interrupted', text: 'its creator ended' },
      exit: { code: 1, at },
    });
    await bench.stores.runners.put(runnerKey(scaleSetId, 'ended1'), exited);

    await Promise.all([one.planner.reconcile(scaleSetId), other.planner.reconcile(scaleSetId)]);
    await one.planner.reconcile(scaleSetId);

    expect(await bench.runner(spec, 'ended1')).toMatchObject({
      state: 'marked',
      mark: { reason: 'exited', gate: 'none' },
    });
    expect(await bench.commands('delete', spec)).toEqual(['ended1']);
    expect(await bench.events(spec)).toEqual(['runner.marked']);
  });
});

describe('a planner that is asked many times while it works', () => {
  test('plans once more, for all of them', async () => {
    const spec = await bench.declare('asked-often');
    await bench.demand(spec, { assigned: 1 });
    const capacity = new CountingShare(one);
    const planner = new Planner({ ...one, capacity });

    await Promise.all(Array.from({ length: 100 }, () => planner.reconcile(spec.scaleSetId)));

    expect(capacity.asked).toBe(2);
  });
});

describe('a record that is written while the copy of all records is read', () => {
  test('keeps the place of its runner, and no other is made', async () => {
    const spec = await bench.declare('written-meanwhile');
    const { scaleSetId } = spec;
    await bench.demand(spec, { assigned: 2 });
    await one.planner.reconcile(scaleSetId);
    await one.planner.reconcile(scaleSetId);
    const [moved] = await bench.runnersOf(spec);
    if (!moved) throw new Error('no runner was requested');
    const reader = await bench.provisioner(new EmptyProvider());
    const { runners, planner } = reader;
    const readLog = runners.readLog.bind(runners);
    runners.readLog = async (read) =>
      await readLog(async (log) => {
        const state = await log.state();
        await bench.stores.runners.put(runnerKey(scaleSetId, moved.runnerId), moved);
        log.state = () => Promise.resolve(state);
        return await read(log);
      });

    await planner.reconcile(scaleSetId);

    await expectRunners(spec, 2);
  });
});

describe('a lost plan', () => {
  test('is made again with the runners that live', async () => {
    const spec = await bench.declare('lost-plan');
    await bench.demand(spec, { assigned: 3 });
    await one.planner.reconcile(spec.scaleSetId);
    const { revision } = await planOf(spec);

    await bench.stores.plans.delete(spec.scaleSetId, revision);
    await Promise.all([one, other].map(({ planner }) => planner.reconcile(spec.scaleSetId)));

    await expectRunners(spec, 3);
  });
});

describe('a provider', () => {
  test('that has no room lets nobody be named until it has', async () => {
    const provider = new EmptyProvider(1);
    const { planner } = await bench.provisioner(provider, { name: 'small' });
    const spec = await bench.declare('no-room', { maxRunners: 9, provider: 'small' });
    await bench.demand(spec, { assigned: 3 });

    await planner.reconcile(spec.scaleSetId);
    const crowded = (await planOf(spec)).value;
    provider.free = 10_000;
    await bench.clock.advance(1_000);
    await planner.reconcile(spec.scaleSetId);

    expect(crowded).toMatchObject({ runners: [{}], free: 0 });
    await expectRunners(spec, 3);
  });

  test('that cannot be asked stops naming, and its answer starts it again', async () => {
    const provider = new EmptyProvider();
    provider.problem = 'the host is gone';
    const { planner } = await bench.provisioner(provider);
    const spec = await bench.declare('silent-provider');
    await bench.demand(spec, { assigned: 1 });

    await planner.reconcile(spec.scaleSetId);
    const silent = (await planOf(spec)).value;
    provider.problem = undefined;
    await bench.clock.advance(1_000);
    await planner.reconcile(spec.scaleSetId);

    expect(silent.runners).toEqual([]);
    expect(silent.waiting).toMatchObject({ reason: 'provider', missing: 1 });
    expect(silent.waiting?.text).toContain('the host is gone');
    await expectRunners(spec, 1);
    expect((await planOf(spec)).value).not.toHaveProperty('problem');
  });

  test('that nobody configured is named in the plan', async () => {
    const spec = await bench.declare('unknown-provider', { provider: 'elsewhere' });
    await bench.demand(spec, { assigned: 1 });

    await one.planner.reconcile(spec.scaleSetId);

    expect((await planOf(spec)).value).toMatchObject({
      runners: [],
      waiting: { text: expect.stringContaining('"elsewhere"') as string },
    });
  });
});

/** Counts the plans that are made. */
class CountingShare extends CapacityShare {
  asked = 0;

  override async of(...args: Parameters<CapacityShare['of']>) {
    this.asked += 1;
    return await super.of(...args);
  }
}
