interface Schedule {
  everyMs: number;
  /** The same for all sweeps of a process, so that those that run together share their views. */
  phaseMs: number;
  /** Of the monotonic clock. */
  nowMs: number;
  random: () => number;
}

/** All sweeps of a turn begin within this time, in ms: well within that for which views are shared. */
const jitterMs = 2_000;

/** How long to wait for the next run, in ms. Runs of several periods fall together where they can. Pure. */
export function untilNextRunMs({ everyMs, phaseMs, nowMs, random }: Schedule): number {
  const sinceTickMs = (((nowMs - phaseMs) % everyMs) + everyMs) % everyMs;
  return everyMs - sinceTickMs + random() * Math.min(jitterMs, everyMs / 5);
}
