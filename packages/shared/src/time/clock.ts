/** The only source of time. Injected everywhere, so that tests decide what time it is. */
export interface Clock {
  /** Wall clock, ms since 1970. For people and records; never for measuring a duration. */
  now(): number;
  /** Monotonic clock, ms from an arbitrary start. For deadlines and durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A timer that is set for longer ends at once; who sleeps for weeks looks again in between. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // Not that of node:timers/promises: when it is aborted, it makes an error with its stack first.
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        },
        Math.min(ms, longestTimerMs),
      );
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
};

/** ISO 8601 text of the wall clock, as stored in records and events. */
export function isoNow(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
