import type { SimControl } from '@baton/github-sim';
import type { Clock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';

interface QuietOptions {
  stack: LocalStack;
  sim: SimControl;
  scaleSets: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Longer than any back-off, deadline and freed session together, in ms. */
export const longestMs = 300_000;
const lookEveryMs = 250;

/**
 * Waits until no job is open, every message is deleted, nothing is left over and every scale set is polled, twice in a row; at
 * the longest five minutes. Returns how long that took, in ms.
 */
export async function untilQuiet(options: QuietOptions): Promise<number> {
  const { clock, signal } = options;
  const startedAt = clock.monotonic();
  let quietLooks = 0;
  while (quietLooks < 2 && clock.monotonic() - startedAt < longestMs) {
    quietLooks = (await isQuiet(options)) ? quietLooks + 1 : 0;
    await clock.sleep(lookEveryMs, signal);
  }
  return Math.round(clock.monotonic() - startedAt);
}

async function isQuiet({ stack, sim, scaleSets }: QuietOptions): Promise<boolean> {
  const [state, books, instances] = await Promise.all([
    sim.state(),
    sim.books(),
    stack.instances(),
  ]);
  const { completed, failed, canceled, total } = state.jobs;
  const over = completed + failed + canceled === total;
  return (
    over &&
    books.registrations.length === 0 &&
    instances.length === 0 &&
    // What is undeleted may not be published yet.
    state.scaleSets.every(({ messages }) => messages === 0) &&
    state.scaleSets.filter(({ session }) => session?.held === true).length === scaleSets
  );
}
