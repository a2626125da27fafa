import { Secret } from '@baton/shared/config';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ComputeProvider, Instance } from './provider.ts';
import { aRequest } from './testing/a-request.ts';
import { eventually } from './testing/eventually.ts';

/**
 * A provider under test. Its runner program must do what its JIT config says: `run` runs until it
 * is stopped, `exit <code>` ends at once with that code.
 */
export interface ProviderBench {
  provider: ComputeProvider;
  /** The same place, seen by the installation `other`; `provider` is of `conformance`. */
  foreign: ComputeProvider;
  dispose(): Promise<void>;
}

const { signal } = new AbortController();

/** What every adapter must do. Call it in a test file of the adapter. */
export function providerConformance(name: string, makeBench: () => Promise<ProviderBench>): void {
  describe(`${name} is a compute provider that`, () => {
    let bench: ProviderBench;

    beforeEach(async () => {
      bench = await makeBench();
    });
    afterEach(async () => {
      await deleteAll(bench.provider);
      await deleteAll(bench.foreign);
      await bench.dispose();
    });

    testCreate(() => bench);
    testDelete(() => bench);
    testBoundaries(() => bench);
  });
}

function testCreate(bench: () => ProviderBench): void {
  test('shows a created instance with its tags', async () => {
    const { instanceId } = await bench().provider.create(aRequest(), signal);

    const instance = await eventuallyState(bench().provider, instanceId, 'running');

    expect(instance).toMatchObject({
      instanceId,
      runnerId: 'runner-1',
      runnerName: 'baton-runner-1',
      scaleSetId: 'set-1',
      generation: 'g1',
    });
    expect(Date.parse(instance.createdAt)).not.toBeNaN();
    expect(instance).not.toHaveProperty('exitCode');
  });

  test('starts one instance for a runner id, however often it is asked', async () => {
    const asked = [1, 2, 3].map(() => bench().provider.create(aRequest(), signal));
    const first = await Promise.all(asked);
    const again = await bench().provider.create(aRequest(), signal);

    expect(new Set([...first, again].map(({ instanceId }) => instanceId)).size).toBe(1);
    expect(await bench().provider.list(signal)).toHaveLength(1);
  });

  test.each([0, 1, 7])('reports exit code %i', async (code) => {
    const request = aRequest({ jitConfig: new Secret(`exit ${code}`) });
    const { instanceId } = await bench().provider.create(request, signal);

    const instance = await eventuallyState(bench().provider, instanceId, 'exited');

    expect(instance.exitCode).toBe(code);
    expect(Date.parse(instance.exitedAt ?? '')).not.toBeNaN();
  });

  test('returns an instance that has exited instead of starting another', async () => {
    const request = aRequest({ jitConfig: new Secret('exit 3') });
    const { instanceId } = await bench().provider.create(request, signal);
    await eventuallyState(bench().provider, instanceId, 'exited');

    await bench().provider.create(aRequest(), signal);

    expect(await bench().provider.list(signal)).toMatchObject([{ state: 'exited', exitCode: 3 }]);
  });
}

function testDelete(bench: () => ProviderBench): void {
  test('deletes a running instance, once and again and at the same time', async () => {
    const { instanceId } = await bench().provider.create(aRequest(), signal);
    await eventuallyState(bench().provider, instanceId, 'running');

    await Promise.all([1, 2, 3].map(() => bench().provider.delete(instanceId, signal)));
    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
  });

  test('deletes an instance that has only just been created', async () => {
    const { instanceId } = await bench().provider.create(aRequest(), signal);

    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
  });

  test.each(['never-existed', '../escape', ''])('takes deleting %j as done', async (id) => {
    await expect(bench().provider.delete(id, signal)).resolves.toBeUndefined();
  });
}

function testBoundaries(bench: () => ProviderBench): void {
  test('neither shows nor touches what another installation owns', async () => {
    const theirs = aRequest({ installationId: 'other' });
    const { instanceId } = await bench().foreign.create(theirs, signal);
    await eventuallyState(bench().foreign, instanceId, 'running');

    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
    expect(await bench().foreign.list(signal)).toMatchObject([{ state: 'running' }]);
    await expect(bench().provider.create(theirs, signal)).rejects.toMatchObject({ class: 'bug' });
  });

  test('has room for fewer while an instance exists', async () => {
    const before = await bench().provider.capacity(signal);
    const { instanceId } = await bench().provider.create(aRequest(), signal);
    const during = await bench().provider.capacity(signal);
    await bench().provider.delete(instanceId, signal);

    expect(during.free).toBe(before.free - 1);
    expect(await bench().provider.capacity(signal)).toEqual(before);
  });

  test('refuses settings that it does not know', async () => {
    const request = aRequest({ settings: { noSuchSetting: true } });

    await expect(bench().provider.create(request, signal)).rejects.toMatchObject({
      class: 'invalid-settings',
    });
  });

  test('does nothing for a caller that has given up', async () => {
    const gaveUp = AbortSignal.abort(new Error('gave up'));

    await expect(bench().provider.create(aRequest(), gaveUp)).rejects.toThrow('gave up');
    await expect(bench().provider.list(gaveUp)).rejects.toThrow('gave up');
    await expect(bench().provider.delete('runner-1', gaveUp)).rejects.toThrow('gave up');
    await expect(bench().provider.capacity(gaveUp)).rejects.toThrow('gave up');
    expect(await bench().provider.list(signal)).toEqual([]);
  });
}

/** Waits until the instance is in the state; returns it as it was seen then. */
export async function eventuallyState(
  provider: ComputeProvider,
  instanceId: string,
  state: Instance['state'],
): Promise<Instance> {
  return await eventually(async () => {
    const instances = await provider.list(signal);
    const found = instances.find((instance) => instance.instanceId === instanceId);
    if (found?.state !== state) throw new Error(`is ${found?.state ?? 'absent'}, not ${state}`);
    return found;
  });
}

async function deleteAll(provider: ComputeProvider): Promise<void> {
  const instances = await provider.list(signal);
  await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, signal)));
}
