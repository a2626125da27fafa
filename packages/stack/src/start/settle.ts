import type { Books, SimControl } from '@baton/github-sim';
import type { Clock } from '@baton/shared/time';
import type { LocalStack } from '../local-stack.ts';

/** What is still there when the jobs are done, by the books of the simulator and the provider. */
export interface Leftovers {
  books: Books;
  runners: number;
  registrations: number;
  instances: number;
  /** Scale sets of which the simulator holds no poll. */
  unpolled: number;
}

interface SettleOptions {
  stack: LocalStack;
  sim: SimControl;
  clock: Clock;
  signal: AbortSignal;
}

const settleMs = 30_000;
const lookEveryMs = 200;

/**
 * Waits up to 30 s until nothing is left over and every scale set is polled, twice in a row; then
 * ends the measuring of gaps. Resolves with what is left.
 */
export async function settle(options: SettleOptions): Promise<Leftovers> {
  const { sim, clock, signal } = options;
  const deadline = clock.monotonic() + settleMs;
  let quietLooks = 0;
  for (;;) {
    const leftovers = await findLeftovers(options);
    const { runners, registrations, instances, unpolled } = leftovers;
    quietLooks = runners + registrations + instances + unpolled === 0 ? quietLooks + 1 : 0;
    if (quietLooks === 2 || clock.monotonic() >= deadline || signal.aborted) {
      await sim.setTracking(false);
      return { ...leftovers, books: await sim.books() };
    }
    await clock.sleep(lookEveryMs, signal).catch(() => undefined);
  }
}

async function findLeftovers({ stack, sim }: SettleOptions): Promise<Leftovers> {
  const [books, state, instances] = await Promise.all([
    sim.books(),
    sim.state(),
    stack.instances(),
  ]);
  return {
    books,
    runners: state.runners.filter(({ status }) => status !== 'offline').length,
    registrations: books.registrations.length,
    instances: instances.length,
    unpolled: state.scaleSets.filter(({ session }) => session?.held !== true).length,
  };
}
