import { TimeoutError } from '@baton/shared/errors';
import { type Clock, notNeeded, withDeadline } from '@baton/shared/time';

interface SoftDeadline {
  clock: Clock;
  timeoutMs: number;
  /** What was being done, for the error text. */
  what: string;
  /** Aborts the work at any time; it is then not waited for. */
  signal: AbortSignal;
}

/** Work that does not heed its deadline is given up after this, in ms. */
const graceMs = 5_000;

/** Like `withDeadline`, for work that ends soon after the deadline with what it has done by then. */
export async function withSoftDeadline<T>(
  { clock, timeoutMs, what, signal }: SoftDeadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = new AbortController();
  void clock.sleep(timeoutMs, timer.signal).then(
    () => over.abort(new TimeoutError(`${what} took longer than ${timeoutMs} ms`)),
    () => undefined,
  );
  const limit = { clock, timeoutMs: timeoutMs + graceMs, what, signal };
  try {
    return await withDeadline(limit, (outer) => work(AbortSignal.any([outer, over.signal])));
  } finally {
    timer.abort(notNeeded);
  }
}
