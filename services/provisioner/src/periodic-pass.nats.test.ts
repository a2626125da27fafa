import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { aPlan, aRunner, eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { periodicPass } from './periodic-pass.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';

let bench: Bench;
let provisioner: Provisioner;

beforeAll(async () => {
  bench = await Bench.start();
  provisioner = await bench.provisioner(new EmptyProvider());
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

/** A runner with a place that got into its state just now. */
async function withRunner(spec: Spec, part: Partial<Runner>): Promise<Runner> {
  const { scaleSetId } = spec;
  const stateAt = new Date(bench.clock.now()).toISOString();
  const runner = aRunner({ scaleSetId, createdAt: stateAt, stateAt, ...part });
  const { runnerId } = runner;
  await bench.demand(spec, { assigned: 1 });
  await bench.stores.plans.put(scaleSetId, aPlan({ scaleSetId, alive: [runnerId] }));
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), runner);
  return runner;
}

/** A runner that GitHub lists as online and whose record says that it is starting. */
async function anOnlineRunner(name: string, bootstrapTimeoutSeconds: number) {
  const spec = await bench.register(name, { bootstrapTimeoutSeconds });
  const creator = await bench.provisioner(await bench.processes(name));
  const record = await bench.requested(spec, creator);
  await createRunner(creator, record, signal);
  await eventually(async () => {
    const { runners } = await bench.sim.control.state();
    expect(runners.find((runner) => runner.name === record.name)?.status).toBe('idle');
  });
  return { spec, runnerId: record.runnerId };
}

describe('periodicPass', () => {
  test('asks again for a runner that nobody has begun with for 5 s', async () => {
    const spec = await bench.declare('lost-command');
    const runner = await withRunner(spec, { runnerId: 'lostcommand' });

    await bench.clock.advance(5_000);
    await periodicPass(provisioner);
    const early = await bench.commands('create', spec);
    await bench.clock.advance(1);
    await periodicPass(provisioner);

    expect(early).toEqual([]);
    expect(await bench.commands('create', spec)).toEqual([runner.runnerId]);
  });

  test('asks again for a runner that has been creating for two time-outs', async () => {
    const spec = await bench.declare('lost-creator');
    const runner = await withRunner(spec, { runnerId: 'lostcreator', state: 'creating' });

    await bench.clock.advance(2 * provisioner.createTimeoutMs);
    await periodicPass(provisioner);
    const early = await bench.commands('create', spec);
    await bench.clock.advance(1);
    await periodicPass(provisioner);

    expect(early).toEqual([]);
    expect(await bench.commands('create', spec)).toEqual([runner.runnerId]);
  });

  test('learns from GitHub that a runner has come online', async () => {
    const { spec, runnerId } = await anOnlineRunner('online', 1_200);

    await bench.clock.advance(5_001);
    await periodicPass(provisioner);

    expect(await bench.runner(spec, runnerId)).toMatchObject({ state: 'idle' });
    expect(await bench.commands('delete', spec)).toEqual([]);
  });

  test('keeps a runner that came online while nobody looked until after its deadline', async () => {
    const { spec, runnerId } = await anOnlineRunner('late-look', 10);

    await bench.clock.advance(10_001);
    await periodicPass(provisioner);

    expect(await bench.runner(spec, runnerId)).toMatchObject({ state: 'idle' });
    expect(await bench.commands('delete', spec)).toEqual([]);
  });

  test('marks a runner that has not registered in time, if GitHub lets it go', async () => {
    const spec = await bench.register('deadline', { bootstrapTimeoutSeconds: 10 });
    const runner = await withRunner(spec, { runnerId: 'deadline', state: 'starting' });
    await bench.jitConfig(spec, runner.name);

    await bench.clock.advance(10_000);
    await periodicPass(provisioner);
    const before = await bench.runner(spec, runner.runnerId);
    await bench.clock.advance(1);
    await periodicPass(provisioner);
    await periodicPass(provisioner);

    expect(before?.state).toBe('starting');
    expect(await bench.runner(spec, runner.runnerId)).toMatchObject({
      state: 'marked',
      mark: { reason: 'registration-deadline', gate: 'github' },
    });
    expect(await bench.commands('delete', spec)).toEqual([runner.runnerId]);
    expect((await bench.planOf(spec)).runners).not.toContainEqual(
      expect.objectContaining({ runnerId: runner.runnerId }),
    );
  });

  test('looks after the other scale sets when one cannot be looked after', async () => {
    const broken = await bench.declare('a-broken-set', { credential: 'nobody-has-it' });
    await withRunner(broken, { runnerId: 'brokenset', state: 'starting' });
    const spec = await bench.declare('b-healthy-set');
    const runner = await withRunner(spec, { runnerId: 'healthyset' });

    await bench.clock.advance(5_001);
    await periodicPass(provisioner);

    expect(await bench.commands('create', spec)).toEqual([runner.runnerId]);
  });
});
