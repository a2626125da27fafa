import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import type { ProviderBench } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventuallyState, neverAborted as signal } from './wait.ts';

export function createTests(bench: () => ProviderBench): void {
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
    for (const absent of ['exitCode', 'exitedAt', 'problem'])
      expect(instance).not.toHaveProperty(absent);
  });

  test('starts one instance for a runner id, however often it is asked', async () => {
    const asked = [1, 2, 3].map(() => bench().provider.create(aRequest(), signal));
    const first = await Promise.all(asked);
    const again = await bench().provider.create(aRequest(), signal);

    expect(new Set([...first, again].map(({ instanceId }) => instanceId)).size).toBe(1);
    expect(await bench().provider.list(signal)).toHaveLength(1);
  });

  test('starts one instance for a runner id, whichever services ask at once', async () => {
    const { provider, second = provider } = bench();

    const asked = [provider, second, provider, second].map((one) => one.create(aRequest(), signal));
    const made = await Promise.all(asked);
    const again = await second.create(aRequest(), signal);

    expect(new Set([...made, again].map(({ instanceId }) => instanceId)).size).toBe(1);
    expect(await provider.list(signal)).toHaveLength(1);
    expect(await second.list(signal)).toHaveLength(1);
    await eventuallyState(second, again.instanceId, 'running');
  });

  test('starts twelve at the same time', async () => {
    const { provider, second = provider } = bench();
    const runnerIds = Array.from({ length: 12 }, (_, n) => `runner-${n}`);

    const made = await Promise.all(
      runnerIds.map((runnerId, n) =>
        (n % 2 ? provider : second).create(
          aRequest({ runnerId, runnerName: `baton-${runnerId}` }),
          signal,
        ),
      ),
    );
    for (const { instanceId } of made) await eventuallyState(provider, instanceId, 'running');

    const found = await provider.list(signal);
    expect(found.map(({ runnerId }) => runnerId).sort()).toEqual(runnerIds.sort());
  });

  test('returns an instance that has exited instead of starting another', async () => {
    const request = aRequest({ jitConfig: new Secret('exit 3') });
    const { instanceId } = await bench().provider.create(request, signal);
    await eventuallyState(bench().provider, instanceId, 'exited');

    await bench().provider.create(aRequest(), signal);

    expect(await bench().provider.list(signal)).toMatchObject([{ state: 'exited', exitCode: 3 }]);
  });
}
