import { type Instance, ProviderError } from '@baton/providers';
import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';
import { RegistrationWatch } from './watch-registrations.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const gone = { v: 1, identity: 'provisioner-9', incarnation: 'before' } as const;

async function command(provisioner: Provisioner, { scaleSetId, runnerId }: Runner) {
  return await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
}

async function atGitHub(scaleSet: string) {
  const { runners } = await bench.sim.control.state();
  return runners
    .filter((runner) => runner.scaleSet === scaleSet)
    .map(({ name, status }) => ({ name, status }));
}

/** A runner that runs a job, and its record from before it was made. `later`: it has got a second name. */
async function aBusyRunner(scaleSet: string, { later = false } = {}) {
  const spec = await bench.register(scaleSet);
  const provisioner = await bench.provisioner(await bench.processes(scaleSet));
  const old = await bench.requested(spec, provisioner);
  if (later) await bench.jitConfig(spec, old.name);
  await command(provisioner, old);
  const now = await bench.runner(spec, old.runnerId);
  if (!now) throw new Error('the runner has no record');
  await eventually(async () =>
    expect(await atGitHub(scaleSet)).toEqual([{ name: now.name, status: 'idle' }]),
  );
  await bench.sim.control.addJobs({ scaleSet, durationMs: 60_000 });
  await bench.assignJobs(spec);
  await eventually(async () =>
    expect(await atGitHub(scaleSet)).toEqual([{ name: now.name, status: 'busy' }]),
  );
  return { spec, provisioner, old, now };
}

async function restore({ scaleSetId }: Spec, copy: Runner): Promise<void> {
  await bench.stores.runners.put(runnerKey(scaleSetId, copy.runnerId), copy);
}

describe('an old copy of the record of a runner that runs a job', () => {
  test.each([
    { name: 'restored-requested', part: {}, later: false },
    { name: 'restored-creating', part: { state: 'creating', creator: gone }, later: false },
    { name: 'restored-name', part: { state: 'creating', creator: gone }, later: true },
  ] as const)('leads to that runner again, and to no second one: $name', async (scene) => {
    const { name, part, later } = scene;
    const { spec, provisioner, old, now } = await aBusyRunner(name, { later });
    const before = await provisioner.provider.list(signal);
    await restore(spec, { ...old, ...part });
    await bench.clock.advance(180_000);

    await command(provisioner, old);
    await new RegistrationWatch(provisioner).look();

    expect(await bench.runner(spec, old.runnerId)).toMatchObject({
      state: 'busy',
      name: now.name,
      instanceId: now.instanceId,
      githubRunnerId: now.githubRunnerId,
    });
    expect(await provisioner.provider.list(signal)).toEqual(before);
    expect(await atGitHub(name)).toEqual([{ name: now.name, status: 'busy' }]);
    expect(await bench.commands('delete', spec)).toEqual([]);
  });

  test('waits while its instance cannot be looked for: nothing is given up for that', async () => {
    const { spec, provisioner, old, now } = await aBusyRunner('restored-blind');
    const blind = await bench.provisioner(new BlindProvider());
    await restore(spec, old);

    const result = await command(blind, old);

    expect(result).toBe('held-back');
    expect(await bench.runner(spec, old.runnerId)).toMatchObject({
      state: 'requested',
      postponed: { reason: expect.stringContaining('cannot be looked for') as string },
    });
    expect(await provisioner.provider.list(signal)).toHaveLength(1);
    expect(await atGitHub('restored-blind')).toEqual([{ name: now.name, status: 'busy' }]);
  });
});

test('a create command that is delivered again makes nothing, whether or not there is a record', async () => {
  const { spec, provisioner, old, now } = await aBusyRunner('redelivered');
  const key = runnerKey(spec.scaleSetId, old.runnerId);

  const withRecord = await command(provisioner, old);
  const entry = await bench.stores.runners.get(key);
  await bench.stores.runners.delete(key, entry?.revision ?? 0);
  const without = await command(provisioner, old);

  expect([withRecord, without]).toEqual(['nothing', 'nothing']);
  expect(await provisioner.provider.list(signal)).toHaveLength(1);
  expect(await atGitHub('redelivered')).toEqual([{ name: now.name, status: 'busy' }]);
});

/** Has room, and does not say what is in it. */
class BlindProvider extends EmptyProvider {
  override list(): Promise<Instance[]> {
    return Promise.reject(new ProviderError('denied', 'nobody may look'));
  }
}
