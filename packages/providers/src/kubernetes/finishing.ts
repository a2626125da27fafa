import { type Clock, notNeeded } from '@baton/shared/time';

interface FinishingOptions {
  clock: Clock;
  signal: AbortSignal;
  /** How long the work may go on after the signal was aborted, in ms. */
  lateMs: number;
}

/** Runs work that is better finished than cut off: its signal is aborted `lateMs` after the caller's. */
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
  } finally {
    signal.removeEventListener('abort', onAbort);
    done.abort(notNeeded);
  }
}
