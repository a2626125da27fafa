/** Another clock's time, and the span of our own in which it was read, in ms since 1970. */
export interface ClockReading {
  /** Between these two: it may be known to the second only. */
  other: { earliestMs: number; latestMs: number };
  own: { earliestMs: number; latestMs: number };
}

/** Above `warnMs` times in records mislead; above `failMs` GitHub refuses the tokens of an App. */
export const clockLimits = { warnMs: 1_000, failMs: 60_000 } as const;

/**
 * How far our clock is ahead of the other one, in ms, negative when it is behind: what is certain in
 * spite of the time that the reading took. 0 when the two may agree. Pure.
 */
export function clockDifference({ other, own }: ClockReading): number {
  const least = own.earliestMs - other.latestMs;
  const most = own.latestMs - other.earliestMs;
  if (least > 0) return least;
  return Math.min(most, 0);
}
