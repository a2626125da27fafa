import type { ComputeProvider } from '@baton/providers';
import type { Spec } from '@baton/shared/contracts';
import { runnerKey } from '@baton/shared/contracts';
import { aRunner } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { LivingInstances } from './living-instances.ts';
import { Planner } from './planner.ts';
import { Bench } from './testing/bench.ts';
import { anInstance } from './testing/listed-provider.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

/** A planner that sees instances of these runners in its provider. */
async function aPlanner(spec: Spec, runnerIds: readonly string[], provider?: ComputeProvider) {
  const processes = provider ?? (await bench.processes(spec.scaleSetId));
  const provisioner = await bench.provisioner(processes);
  const living = new LivingInstances({ clock: bench.clock, providers: ['local'] });
  const { scaleSetId } = spec;
  const instances = runnerIds.map((runnerId) => anInstance(aRunner({ scaleSetId, runnerId })));
  living.listed('local', instances);
  return { planner: new Planner({ ...provisioner, living }), provisioner, living };
}

async function planOf({ scaleSetId }: Spec) {
  return (await bench.stores.plans.get(scaleSetId))?.value;
}

describe('instances that run without a record', () => {
  test('are counted as if they had the jobs, until they are adopted', async () => {
    const spec = await bench.register('orphans');
    const { scaleSetId } = spec;
    const { planner } = await aPlanner(spec, ['orphana', 'orphanb', 'orphanc']);
    await bench.demand(spec, { assigned: 5 });

    await planner.reconcile(scaleSetId);
    const before = await planOf(spec);
    for (const runnerId of ['orphana', 'orphanb', 'orphanc']) {
      const runner = aRunner({ scaleSetId, runnerId, state: 'busy' });
      await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), runner);
    }
    await planner.reconcile(scaleSetId);
    const after = await planOf(spec);

    expect(before?.runners).toHaveLength(2);
    expect(before?.waiting).toMatchObject({ reason: 'orphans', missing: 3 });
    expect(after?.runners).toHaveLength(5);
    expect(after?.waiting).toBeUndefined();
  });

  test('are counted when they are adopted after the records were read, and have their place then', async () => {
    const spec = await bench.register('adopted-meanwhile');
    const { scaleSetId } = spec;
    const runner = aRunner({ scaleSetId, runnerId: 'meanwhile', state: 'idle' });
    const processes = await bench.processes(scaleSetId);
    // The planner asks for room when it has read the records.
    const adopts: ComputeProvider = {
      create: (request, within) => processes.create(request, within),
      list: (within) => processes.list(within),
      delete: (instanceId, within) => processes.delete(instanceId, within),
      capacity: async (within) => {
        await bench.stores.runners.put(runnerKey(scaleSetId, runner.runnerId), runner);
        return await processes.capacity(within);
      },
    };
    const { planner } = await aPlanner(spec, [runner.runnerId], adopts);
    await bench.demand(spec, { assigned: 1 });

    await planner.reconcile(scaleSetId);
    const before = await planOf(spec);
    await planner.reconcile(scaleSetId);
    const after = await planOf(spec);

    expect(before?.runners).toEqual([]);
    expect(after?.runners.map(({ runnerId }) => runnerId)).toEqual([runner.runnerId]);
  });

  test('are no orphans when they have a record, or had one a moment ago', async () => {
    const spec = await bench.register('no-orphans');
    const { scaleSetId } = spec;
    const { planner } = await aPlanner(spec, ['marked', 'deleted']);
    const key = runnerKey(scaleSetId, 'deleted');
    const revision = await bench.stores.runners.put(
      key,
      aRunner({ scaleSetId, runnerId: 'deleted' }),
    );
    await bench.stores.runners.delete(key, revision);
    const marked = aRunner({ scaleSetId, runnerId: 'marked', state: 'marked' });
    await bench.stores.runners.put(runnerKey(scaleSetId, 'marked'), marked);
    await bench.demand(spec, { assigned: 2 });

    await planner.reconcile(scaleSetId);

    expect((await planOf(spec))?.runners).toHaveLength(2);
  });
});

test('a runner whose old record waits to be created keeps the instance that it has, and its name', async () => {
  const spec = await bench.register('renamed');
  const { provisioner, living } = await aPlanner(spec, []);
  const old = await bench.requested(spec, provisioner);
  const taken = await bench.jitConfig(spec, old.name);
  const command = { v: 1 as const, scaleSetId: spec.scaleSetId, runnerId: old.runnerId };
  await createRunner(provisioner, command, signal);
  const now = await bench.runner(spec, old.runnerId);
  await bench.stores.runners.put(runnerKey(spec.scaleSetId, old.runnerId), old);
  living.listed('local', await provisioner.provider.list(signal));

  await createRunner({ ...provisioner, living }, command, signal);

  expect(taken).toBeDefined();
  expect(now?.name).not.toBe(old.name);
  expect(await bench.runner(spec, old.runnerId)).toMatchObject({
    name: now?.name,
    instanceId: now?.instanceId,
    githubRunnerId: now?.githubRunnerId,
  });
  const { runners } = await bench.sim.control.state();
  const names = runners.filter(({ scaleSet }) => scaleSet === 'renamed').map(({ name }) => name);
  expect(names).toEqual([now?.name]);
});
