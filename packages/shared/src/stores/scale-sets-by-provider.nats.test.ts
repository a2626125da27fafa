import { aRunner, aSpec, FakeClock, startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runnerKey } from '../contracts/index.ts';
import { ScaleSetsByProvider } from './scale-sets-by-provider.ts';
import { openRunners, openSpecs, type RunnerStore, type SpecStore } from './stores.ts';

let nats: TestNats;
let specs: SpecStore;
let runners: RunnerStore;
beforeEach(async () => {
  nats = await startTestNats();
  specs = await openSpecs(await nats.connect('cli'));
  runners = await openRunners(await nats.connect('provisioner'));
});
afterEach(() => nats[Symbol.asyncDispose]());

/** As the janitor asks: it reads specs and runners. */
async function aReader(clock = new FakeClock(Date.now())) {
  const connection = await nats.connect('janitor');
  const scaleSets = new ScaleSetsByProvider(clock);
  scaleSets.bind({ specs: await openSpecs(connection), runners: await openRunners(connection) });
  return scaleSets;
}

async function declare(scaleSetId: string, provider: string): Promise<void> {
  const declaration = { provider, settings: { image: provider } };
  await specs.put(scaleSetId, aSpec({ scaleSetId, declaration }));
}

test('names the scale sets of a provider, with their settings', async () => {
  await declare('linux-1', 'garm');
  await declare('mac-1', 'other');

  expect(await (await aReader()).of('garm')).toEqual([
    { id: 'linux-1', settings: { image: 'garm' } },
  ]);
});

test('goes on naming one that moved away while it lived', async () => {
  await declare('linux-1', 'garm');
  const scaleSets = await aReader();
  await scaleSets.of('garm');

  await declare('linux-1', 'other');

  expect(await scaleSets.of('garm')).toEqual([{ id: 'linux-1' }]);
});

test('names one that moved away before it began and left runners behind', async () => {
  await declare('linux-1', 'other');
  const left = aRunner({ scaleSetId: 'linux-1', provider: 'garm' });
  await runners.put(runnerKey('linux-1', left.runnerId), left);

  expect(await (await aReader()).of('garm')).toEqual([{ id: 'linux-1' }]);
});

test('names one that was deleted, for a day', async () => {
  await declare('linux-1', 'garm');
  const entry = await specs.get('linux-1');
  await specs.delete('linux-1', entry?.revision ?? 0);
  const nextDay = new FakeClock(Date.now() + 25 * 3_600_000);

  expect(await (await aReader()).of('garm')).toEqual([{ id: 'linux-1' }]);
  expect(await (await aReader(nextDay)).of('garm')).toEqual([]);
});

test('keeps who asks waiting until it has what to read from', async () => {
  await declare('linux-1', 'garm');
  const scaleSets = new ScaleSetsByProvider(new FakeClock());
  const asked = scaleSets.of('garm');

  scaleSets.bind({ specs, runners });

  expect(await asked).toHaveLength(1);
});
