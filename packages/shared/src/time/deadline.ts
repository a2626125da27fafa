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
  const deadline = new AbortController();
  const timer = new AbortController();
  const linked = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
  void clock.sleep(timeoutMs, timer.signal).then(
    () => deadline.abort(new TimeoutError(`${what} took longer than ${timeoutMs} ms`)),
    () => undefined,
  );
  try {
    return await Promise.race([work(linked), rejectOnAbort(linked)]);
  } finally {
    timer.abort(notNeeded);
    // Lets go of the outer signal, which may live as long as the process.
    deadline.abort(notNeeded);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () =>
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
