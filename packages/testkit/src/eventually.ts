import { systemClock } from '@baton/shared/time';

interface EventuallyOptions {
  timeoutMs?: number;
  everyMs?: number;
}

/**
 * Repeats an assertion until it holds, and returns what it returned; at the deadline it throws what
 * the assertion threw last.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 5_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = systemClock.monotonic() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (systemClock.monotonic() >= deadline) throw error;
    }
    await systemClock.sleep(everyMs);
  }
}
