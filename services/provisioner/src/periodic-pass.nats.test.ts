import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { aPlan, aRunner, eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

  test('looks after the other scale sets while the provider of one does not answer', async () => {
    const provider = new StuckProvider();
    const stuck = await bench.provisioner(provider);
    const broken = await bench.declare('a-stuck-set');
    await withRunner(broken, { runnerId: 'stuckset' });
    const spec = await bench.declare('b-healthy-set', { provider: 'elsewhere' });
    const runner = await withRunner(spec, { runnerId: 'healthyset' });
    await bench.clock.advance(5_001);

    const done = periodicPass(stuck);

    await eventually(async () => {
      expect(await bench.commands('create', spec)).toEqual([runner.runnerId]);
    });
    await eventually(() => expect(provider.hanging).toBe(true));
    await bench.clock.advance(250);
    await done;
    await bench.clock.advance(30_000);
    await stuck.passes.idle();
  });
});

/** Has no answer to what it has room for. */
class StuckProvider extends EmptyProvider {
  hanging = false;

  override async capacity(): Promise<{ free: number }> {
    this.hanging = true;
    return await new Promise(() => undefined);
  }
}
