import type { SimControl } from '@baton/github-sim';
import { buckets, deletedRunnerKeptMs } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { openRunners } from '@baton/shared/stores';
import type { LocalStack } from '@baton/stack';
import { longestQuietMs, untilQuiet } from '../chaos/quiet.ts';
import type { BenchContext } from '../context.ts';
import { countKeys, sampleJetStream } from './jetstream-sample.ts';
import type { Rest } from './leftovers.ts';

interface Place {
  stack: LocalStack;
  nats: Nats;
  sim: SimControl;
  scaleSets: number;
}

/** Janitors let go of a mark after the time for which it is kept, and look every quarter of it. */
const longestForgettingMs = 2 * deletedRunnerKeptMs;
const lookEveryMs = 1_000;

/** Waits until all jobs are done, nothing runs, and it is forgotten what was deleted; not for ever. */
export async function comeToRest(context: BenchContext, place: Place): Promise<Rest> {
  const { clock, signal, say } = context;
  const { stack, nats, sim } = place;
  const runners = await openRunners(nats);
  const records = async () => (await runners.list()).length;
  const longestMs = longestQuietMs({ providerLies: false });
  say('all jobs are queued: waiting until all is done');
  await untilQuiet({ ...place, records, longestMs, clock, signal, say });
  say('waiting until janitors forget which runners there were');
  const giveUpAt = clock.monotonic() + longestForgettingMs;
  const isForgotten = async () =>
    (await sampleJetStream(nats)).buckets[buckets.runners]?.messages === 0;
  while (!(await isForgotten()) && clock.monotonic() < giveUpAt)
    await clock.sleep(lookEveryMs, signal);
  return {
    books: await sim.books(),
    instances: (await stack.instances()).length,
    keys: await countKeys(nats),
    jetStream: await sampleJetStream(nats),
  };
}
