import { vi } from 'vitest';

/** Repeats an assertion until it holds. For real processes only; everything else has a fake clock. */
export async function eventually<T>(assertion: () => Promise<T> | T): Promise<T> {
  return await vi.waitFor(assertion, { timeout: 10_000, interval: 20 });
}
