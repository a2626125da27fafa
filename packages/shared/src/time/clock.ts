import { setTimeout as delay } from 'node:timers/promises';

/** The only source of time. Injected everywhere, so that tests decide what time it is. */
export interface Clock {
  /** Wall clock, ms since 1970. For people and records; never for measuring a duration. */
  now(): number;
  /** Monotonic clock, ms from an arbitrary start. For deadlines and durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** ISO 8601 text of the wall clock, as stored in records and events. */
export function isoNow(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
