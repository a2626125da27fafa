import { type Clock, notNeeded } from '@baton/shared/time';

interface FinishingOptions {
  clock: Clock;
  signal: AbortSignal;
  /** How long the work may go on after the signal was aborted, in ms. */
  lateMs: number;
}

/**
 * Runs work that is better finished than cut off, because it might take effect later than what its caller
 * does next: its signal is aborted `lateMs` after the caller's. Rejects with the reason of the caller's
 * where that was aborted and the work failed.
 */
export async function finishing<T>(
  { clock, signal, lateMs }: FinishingOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const late = new AbortController();
  const done = new AbortController();
  const onAbort = () => {
    void clock.sleep(lateMs, done.signal).then(
      () => late.abort(signal.reason),
      () => undefined,
    );
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(late.signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    done.abort(notNeeded);
  }
}
