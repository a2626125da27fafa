import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import type { ProviderBench } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventuallyState, neverAborted as signal } from './wait.ts';

export function deleteTests(bench: () => ProviderBench): void {
  test('deletes a running instance, once and again and at the same time', async () => {
    const { instanceId } = await bench().provider.create(aRequest(), signal);
    await eventuallyState(bench().provider, instanceId, 'running');

    await Promise.all([1, 2, 3].map(() => bench().provider.delete(instanceId, signal)));
    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
  });

  test('lets two services delete the same instances at once', async () => {
    const { provider, second = provider } = bench();
    const made = await Promise.all(
      ['a', 'b', 'c'].map((runnerId) => provider.create(aRequest({ runnerId }), signal)),
    );

    await Promise.all(
      made.flatMap(({ instanceId }) =>
        [provider, second].map((one) => one.delete(instanceId, signal)),
      ),
    );

    expect(await provider.list(signal)).toEqual([]);
    expect(await second.list(signal)).toEqual([]);
  });

  test('deletes an instance that has only just been created', async () => {
    const { instanceId } = await bench().provider.create(aRequest(), signal);

    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
  });

  test('deletes an instance whose program ignores SIGTERM', async () => {
    const request = aRequest({ jitConfig: new Secret('stubborn') });
    const { instanceId } = await bench().provider.create(request, signal);
    await eventuallyState(bench().provider, instanceId, 'running');

    await bench().provider.delete(instanceId, signal);

    expect(await bench().provider.list(signal)).toEqual([]);
  });

  test('deletes an instance that has exited, and frees the runner id', async () => {
    const request = aRequest({ jitConfig: new Secret('exit 5') });
    const first = await bench().provider.create(request, signal);
    await eventuallyState(bench().provider, first.instanceId, 'exited');
    await bench().provider.delete(first.instanceId, signal);

    const { instanceId } = await bench().provider.create(aRequest(), signal);

    await eventuallyState(bench().provider, instanceId, 'running');
  });

  test.each(['never-existed', '../escape', ''])('takes deleting %j as done', async (id) => {
    await expect(bench().provider.delete(id, signal)).resolves.toBeUndefined();
  });
}
