import type { Clock } from '../time/index.ts';

/** How far the wall clock may be away before it is believed again, in ms. */
const toleranceMs = 2;

/**
 * Wall clock in ms since 1970 with its fractions: moves as the monotonic clock does, so that short
 * spans have a length and an order, and follows the wall clock when that is set.
 */
export function spanClock(clock: Clock): () => number {
  let offset = clock.now() - clock.monotonic();
  return () => {
    const elapsed = clock.monotonic();
    const wall = clock.now();
    if (Math.abs(offset + elapsed - wall) > toleranceMs) offset = wall - elapsed;
    return offset + elapsed;
  };
}
