import type { Deletion } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { attributes } from '@baton/shared/telemetry';
import type { DeleteDeps, Found } from './delete-deps.ts';
import { deleteInstance } from './delete-instance.ts';
import { inStepSpan } from './delete-spans.ts';
import { type Deregistered, deregister } from './deregister.ts';
import { claimedWhileSlow } from './settle.ts';

/** What came of an attempt, and the record, which may have been claimed meanwhile. */
interface Attempt<T> {
  found: Found;
  result: T;
}

type Deleted = { known: Partial<Deletion> | undefined } | { error: unknown };

/** Tries to delete the runner's instance: claimed while it is slow, traced, and measured. */
export async function tryDelete(
  deps: DeleteDeps,
  before: Found,
  signal: AbortSignal,
): Promise<Attempt<Deleted>> {
  const { clock, metrics } = deps;
  const runner = before.value;
  return await inStepSpan('delete-instance', runner, (span) =>
    claimedWhileSlow(deps, before, async () => {
      const began = clock.monotonic();
      const result = await orFailure(signal, async () => ({
        known: await deleteInstance(deps, runner, signal),
      }));
      const tookMs = clock.monotonic() - began;
      if ('error' in result) {
        metrics.asked(runner, 'failed', tookMs);
        span.fail(result.error);
        // One that it did not list was not asked to be deleted.
      } else if (result.known?.instanceDeleted) metrics.asked(runner, 'deleted', tookMs);
      return result;
    }),
  );
}

/** Tries to take the runner off GitHub's list: claimed while it is slow, and traced. */
export async function tryDeregister(
  deps: DeleteDeps,
  before: Found,
  signal: AbortSignal,
): Promise<Attempt<Deregistered>> {
  return await inStepSpan('deregister', before.value, (span) =>
    claimedWhileSlow(deps, before, async () => {
      const result = await deregister(deps, before.value, signal);
      if (result.kind !== 'refused') return result;
      span.set({ [attributes.outcome]: result.why });
      // That it runs a job is an answer.
      if (result.why !== 'busy') span.fail(new AppError('github', result.text));
      return result;
    }),
  );
}

/** What the work gave, or why it failed; throws when it was called off, or for trouble with NATS. */
export async function orFailure<T extends object>(
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | { error: unknown }> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError && error.code === 'nats') throw error;
    return { error };
  }
}
