import type { Clock } from '../time/index.ts';

interface CalmOptions {
  clock: Clock;
  /** Share of the time since the last call in which the event loop had work, 0 to 1. */
  utilization: () => number;
  signal: AbortSignal;
}

/** One look at the event loop, in ms. */
const windowMs = 100;
const calmBelow = 0.2;
/** Work that never ends must not keep telemetry away for ever. */
const longestMs = 5_000;

/**
 * Resolves when the event loop has had little to do three times in a row, after 5 s, or when `signal` is
 * aborted: now what takes its time holds up the least.
 */
export async function whenCalm({ clock, utilization, signal }: CalmOptions): Promise<void> {
  const start = clock.monotonic();
  utilization();
  for (let calm = 0; calm < 3 && clock.monotonic() - start < longestMs && !signal.aborted; ) {
    await clock.sleep(windowMs, signal).catch(() => undefined);
    calm = utilization() < calmBelow ? calm + 1 : 0;
  }
}
