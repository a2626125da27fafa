import { expect, test } from 'vitest';
import type { ProviderBench } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventuallyState, neverAborted as signal } from './wait.ts';

/** When the caller gives up, in ms after its call. */
const moments = [0, 1, 3, 10, 40];

export function interruptTests(bench: () => ProviderBench): void {
  test('does nothing for a caller that has given up', async () => {
    const gaveUp = AbortSignal.abort(new Error('gave up'));

    await expect(bench().provider.create(aRequest(), gaveUp)).rejects.toThrow('gave up');
    await expect(bench().provider.list(gaveUp)).rejects.toThrow('gave up');
    await expect(bench().provider.delete('runner-1', gaveUp)).rejects.toThrow('gave up');
    await expect(bench().provider.capacity(gaveUp)).rejects.toThrow('gave up');
    expect(await bench().provider.list(signal)).toEqual([]);
  });

  test.each(moments)(
    'finishes on the second call a create that was called off after %i ms',
    async (afterMs) => {
      const { provider, second = provider } = bench();
      await createUntil(bench(), afterMs);

      const { instanceId } = await second.create(aRequest(), signal);

      await eventuallyState(provider, instanceId, 'running');
      expect(await provider.list(signal)).toHaveLength(1);
    },
  );

  test.each(moments)(
    'leaves nothing that a delete does not remove when a create is called off after %i ms',
    async (afterMs) => {
      const { provider, second = provider } = bench();
      const before = await provider.capacity(signal);
      await createUntil(bench(), afterMs);

      for (const { instanceId } of await second.list(signal))
        await second.delete(instanceId, signal);

      expect(await provider.list(signal)).toEqual([]);
      expect(await provider.capacity(signal)).toEqual(before);
    },
  );

  test('can delete what a delete that was called off left behind', async () => {
    const { provider, second = provider } = bench();
    const { instanceId } = await provider.create(aRequest(), signal);
    await eventuallyState(provider, instanceId, 'running');
    const caller = new AbortController();

    const deleting = provider.delete(instanceId, caller.signal).catch(() => undefined);
    caller.abort(new Error('gave up'));
    await deleting;
    await second.delete(instanceId, signal);

    expect(await provider.list(signal)).toEqual([]);
  });
}

/** A create whose caller gives up after so long. It may have been done by then. */
async function createUntil({ provider }: ProviderBench, afterMs: number): Promise<void> {
  const caller = new AbortController();
  const reason = new Error('gave up');
  const givingUp = setTimeout(() => caller.abort(reason), afterMs);
  try {
    await provider.create(aRequest(), caller.signal);
  } catch (error) {
    if (error !== reason) throw error;
  } finally {
    clearTimeout(givingUp);
  }
}
