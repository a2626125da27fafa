import { TimeoutError } from '../errors/index.ts';
import { notNeeded } from './abort.ts';
import type { Clock } from './clock.ts';

interface DeadlineOptions {
  clock: Clock;
  /** How long the work may take, in ms. */
  timeoutMs: number;
  /** What was being done, for the error text: "create runner". */
  what: string;
  /** Aborts the work before its deadline. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs `work` with a signal that is aborted at the deadline (or when `signal` is). The promise
 * rejects with `TimeoutError` at the deadline even if the work ignores its signal.
 */
export async function withDeadline<T>(
  { clock, timeoutMs, what, signal }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  // One controller for the work and for the timer, and no `AbortSignal.any`: calls come by the thousand.
  const within = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  // Nobody waits for it when the work throws at once.
  over.catch(() => undefined);
  const end = (reason: unknown) => {
    // First, so that it wins over whatever the work makes of it.
    reject(reason);
    within.abort(reason);
  };
  const callOff = () => end(signal?.reason);
  signal?.addEventListener('abort', callOff, { once: true });
  void clock.sleep(timeoutMs, within.signal).then(
    () => end(new TimeoutError(`${what} took longer than ${timeoutMs} ms`)),
    () => undefined,
  );
  try {
    return await Promise.race([work(within.signal), over]);
  } finally {
    // Lets go of the outer signal, which may live as long as the process, and of the timer.
    signal?.removeEventListener('abort', callOff);
    within.abort(notNeeded);
  }
}
