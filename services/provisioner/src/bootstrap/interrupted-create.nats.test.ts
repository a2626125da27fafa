import { fileURLToPath } from 'node:url';
import { Secret } from '@baton/shared/config';
import { runnerKey } from '@baton/shared/contracts';
import { aRunner, eventually, startTestProcess } from '@baton/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExternalBench } from '../testing/external-bench.ts';
import { asJitConfig } from '../testing/recorded-provider.ts';

const creator = fileURLToPath(new URL('../testing/create-and-wait.ts', import.meta.url));
const { signal } = new AbortController();
const request = {
  runnerId: 'abc23',
  runnerName: 'linux-conformance-abc23',
  scaleSetId: 'set-1',
  installationId: 'conformance',
  generation: 'g1',
};
const jitConfig = asJitConfig(new Secret('run'));
const patient = { timeoutMs: 30_000, everyMs: 50 };

let bench: ExternalBench;
beforeEach(async () => {
  bench = await ExternalBench.start();
}, 60_000);
afterEach(() => bench[Symbol.asyncDispose]());

/** Another process creates the instance and is killed at the moment that `until` says. */
async function killedCreate(until: 'created' | 'called', interfaceVersion: string) {
  const { scaleSetId, runnerId, runnerName: name } = request;
  const record = aRunner({ scaleSetId, runnerId, name, state: 'creating' });
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), record);
  const { port } = await bench.bootstrap();
  const definition = bench.definition({ interfaceVersion });
  const { tool } = bench;
  const proxy = { http: '', https: '', noProxy: '' };
  const issued = await port.issue({ ...request, osType: 'linux', tool, jitConfig, proxy }, signal);
  const access = { ...issued, token: issued.token.reveal() };
  const args = [JSON.stringify({ definition, request, access })];
  await using process = startTestProcess(creator, { args });
  const provider = await bench.provider(port, { interfaceVersion });
  if (until === 'created')
    await eventually(() => expect(process.stderr).toContain('created'), patient);
  else await eventually(async () => expect(await provider.list(signal)).toHaveLength(1), patient);
  process.signal('SIGKILL');
  expect(await process.exited()).toBeUndefined();
  return provider;
}

test.each([
  ['v0.1.0', 'created'],
  ['v0.1.1', 'created'],
  ['v0.1.0', 'called'],
] as const)(
  'an instance whose creator was killed is found, taken up and deleted (%s, %s)',
  async (interfaceVersion, until) => {
    const provider = await killedCreate(until, interfaceVersion);

    const [found] = await provider.list(signal);
    const again = await provider.create({ ...request, jitConfig, settings: {} }, signal);

    expect(again.instanceId).toBe(found?.instanceId);
    await eventually(
      async () => expect(await provider.list(signal)).toMatchObject([{ state: 'running' }]),
      patient,
    );
    await provider.delete(again.instanceId, signal);
    expect(await provider.list(signal)).toEqual([]);
  },
  90_000,
);
