import type { SimControl } from '@baton/github-sim';
import type { Clock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';

interface QuietOptions {
  stack: LocalStack;
  sim: SimControl;
  /** How many runners have a record. */
  records: () => Promise<number>;
  scaleSets: number;
  longestMs: number;
  clock: Clock;
  signal: AbortSignal;
  say: (text: string) => void;
}

const lookEveryMs = 250;
const sayEveryMs = 30_000;

/** How long it may take to come to rest, in ms. */
export function longestQuietMs({
  providerLies,
  settleMinutes,
}: {
  providerLies: boolean;
  settleMinutes?: number | undefined;
}): number {
  if (settleMinutes !== undefined) return settleMinutes * 60_000;
  // Longer than any back-off, deadline and freed session together; where sweeps have to find what was lost by
  // lies, longer than any age that they wait for.
  return providerLies ? 1_200_000 : 300_000;
}

/**
 * Waits until no job is open, every message is deleted, nothing is left over and every scale set is polled, twice in a row; at
 * the longest `longestMs`. Returns how long that took, in ms, and what was still to be done in the end.
 */
export async function untilQuiet(
  options: QuietOptions,
): Promise<{ quietMs: number; unrest: string | undefined }> {
  const { clock, signal, longestMs, say } = options;
  const startedAt = clock.monotonic();
  let quietLooks = 0;
  let unrest: string | undefined;
  let sayAt = startedAt + sayEveryMs;
  while (quietLooks < 2 && clock.monotonic() - startedAt < longestMs) {
    unrest = await unrestIn(options);
    quietLooks = unrest === undefined ? quietLooks + 1 : 0;
    if (unrest !== undefined && clock.monotonic() >= sayAt) {
      sayAt += sayEveryMs;
      say(`not at rest: ${unrest}`);
    }
    await clock.sleep(lookEveryMs, signal);
  }
  return { quietMs: Math.round(clock.monotonic() - startedAt), unrest };
}

/** What is still to be done, in a line; undefined when nothing is. */
async function unrestIn({
  stack,
  sim,
  records,
  scaleSets,
}: QuietOptions): Promise<string | undefined> {
  const [state, books, instances, recorded] = await Promise.all([
    sim.state(),
    sim.books(),
    stack.instances(),
    records(),
  ]);
  const { completed, failed, canceled, total } = state.jobs;
  const counts = {
    'jobs are open': total - completed - failed - canceled,
    'instances are there': instances.length,
    'registrations are there': books.registrations.length,
    'records are there': recorded,
    // What is undeleted may not be published yet.
    'messages are undeleted': state.scaleSets.reduce((sum, { messages }) => sum + messages, 0),
    'scale sets are not polled':
      scaleSets - state.scaleSets.filter(({ session }) => session?.held === true).length,
  };
  const open = Object.entries(counts).filter(([, count]) => count > 0);
  return open.length === 0 ? undefined : open.map(([what, count]) => `${count} ${what}`).join(', ');
}
