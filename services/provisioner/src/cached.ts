import type { Clock } from '@baton/shared/time';

/** An answer, or the question that is under way. */
export interface Cached<T> {
  /** Monotonic ms. */
  at: number;
  value: Promise<T>;
}

/** What was asked for lately, or is asked for now; a failure is not kept. */
export function cached<T>(
  known: Cached<T> | undefined,
  freshForMs: number,
  clock: Clock,
  ask: () => Promise<T>,
): Cached<T> {
  if (known && clock.monotonic() - known.at < freshForMs) return known;
  const entry = { at: clock.monotonic(), value: ask() };
  entry.value.catch(() => {
    entry.at = Number.NEGATIVE_INFINITY;
  });
  return entry;
}
