import { TimeoutError } from '../errors/index.ts';
import { notNeeded } from './abort.ts';
import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';

interface SoftDeadline {
  clock: Clock;
  /** When the work is told to end, in ms. */
  timeoutMs: number;
  /** Work that does not heed that is given up this much later, in ms. */
  graceMs: number;
  /** What was being done, for the error text. */
  what: string;
  /** What the work is told; without it how long it took. */
  late?: string;
  /** Aborts the work at any time; it is then not waited for. */
  signal: AbortSignal;
}

/** Like `withDeadline`, for work that ends soon after the deadline with what it has done by then. */
export async function withSoftDeadline<T>(
  { clock, timeoutMs, graceMs, what, late, signal }: SoftDeadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = new AbortController();
  const text = late ?? `${what} took longer than ${timeoutMs} ms`;
  void clock.sleep(timeoutMs, timer.signal).then(
    () => over.abort(new TimeoutError(text)),
    () => undefined,
  );
  const limit = { clock, timeoutMs: timeoutMs + graceMs, what, signal };
  try {
    return await withDeadline(limit, (outer) => work(AbortSignal.any([outer, over.signal])));
  } finally {
    timer.abort(notNeeded);
  }
}
