import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import type { ProviderBench } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventuallyState, neverAborted as signal } from './wait.ts';

export function placeTests(bench: () => ProviderBench): void {
  test('neither shows nor touches what another installation owns', async () => {
    const theirs = aRequest({ installationId: 'other' });
    const { instanceId } = await bench().foreign.create(theirs, signal);
    await eventuallyState(bench().foreign, instanceId, 'running');

    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
    expect(await bench().foreign.list(signal)).toMatchObject([{ state: 'running' }]);
    await expect(bench().provider.create(theirs, signal)).rejects.toMatchObject({ class: 'bug' });
  });

  test('has room for fewer while an instance exists, until it is deleted', async () => {
    const { provider, second = provider } = bench();
    const before = await provider.capacity(signal);
    const { instanceId } = await provider.create(aRequest(), signal);
    const during = await provider.capacity(signal);
    const elsewhere = await second.capacity(signal);
    await provider.delete(instanceId, signal);

    expect(during.free).toBe(before.free - 1);
    expect(elsewhere).toEqual(during);
    expect(await provider.capacity(signal)).toEqual(before);
  });

  test('counts an instance that has exited until it is deleted', async () => {
    const { provider } = bench();
    const before = await provider.capacity(signal);
    const request = aRequest({ jitConfig: new Secret('exit 0') });
    const { instanceId } = await provider.create(request, signal);
    await eventuallyState(provider, instanceId, 'exited');

    const dead = await provider.capacity(signal);
    await provider.delete(instanceId, signal);

    expect(dead.free).toBe(before.free - 1);
    expect(await provider.capacity(signal)).toEqual(before);
  });

  test('refuses settings that it does not know, and keeps nothing of them', async () => {
    const request = aRequest({ settings: { noSuchSetting: true } });

    await expect(bench().provider.create(request, signal)).rejects.toMatchObject({
      class: 'invalid-settings',
    });
    expect(await bench().provider.list(signal)).toEqual([]);
  });
}
