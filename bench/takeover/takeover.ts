import type { BenchContext } from '../context.ts';
import { IdleStack } from '../idle-stack.ts';
import { type Floor, measureFloor } from '../measure/floor.ts';
import { type Spread, spread } from '../measure/percentiles.ts';
import { healthUrlOf } from '../stack.ts';
import { takeoverRatios } from './ratios.ts';
import { handOver, otherPod, sameIdentity, sessionExpiryMs, waitOut } from './scenarios.ts';

export interface TakeoverOptions {
  /** Scale sets; each is one sample a strike. */
  sets: number;
  /** Strikes of the same identity, so that the start of a process is sampled too. */
  kills: number;
}

/** In ms; each sample is a scale set. What nothing was measured of is undefined. */
export interface TakeoverFigures {
  sameIdentityMs: Spread | undefined;
  sameIdentityFromConfigMs: Spread | undefined;
  otherPodFastMs: Spread | undefined;
  otherPodTtlMs: Spread | undefined;
  waitOutAfterReleaseMs: Spread | undefined;
  handOverGapMs: Spread | undefined;
}

export interface TakeoverReport extends TakeoverFigures {
  /** Medians. */
  floorMs: {
    processStart: number;
    natsRoundTrip: number;
    natsMessage: number;
    httpRoundTrip: number;
  };
  floor: Floor;
  /** Of the medians, by the figure; see `takeoverFloors`. */
  ratios: Record<string, number>;
  books: readonly string[];
}

/** With two listeners only half of the sets are struck, so that is done again. */
const rounds = 2;
const books = [
  "the simulator's journal: polls held and ended",
  "the listener's log: when it had read its configuration",
];

/**
 * How long a scale set is not polled when its listener goes, in each way that it can go, while the
 * simulator holds the session of a dead client for 75 s. The judge is the simulator's journal.
 */
export async function benchTakeover(
  context: BenchContext,
  { sets, kills }: TakeoverOptions,
): Promise<TakeoverReport> {
  const { say } = context;
  const quiet = { ...context, say: () => undefined };
  const simulatorArgs = ['--session-expiry-ms', String(sessionExpiryMs)];
  const start = () => IdleStack.start(quiet, { sets, simulatorArgs });

  async function again(work: (idle: IdleStack) => Promise<number[]>): Promise<number[]> {
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await using idle = await start();
      samples.push(...(await work(idle)));
    }
    return samples;
  }

  say(`same identity: ${kills} kills`);
  const { floor, waited, ...same } = await oneListener(context, start, kills);
  say('other listener, holder killed');
  const fast = await again((idle) => otherPod(context, idle, 'SIGKILL'));
  say('other listener, holder stopped with its connection up');
  const ttl = await again((idle) => otherPod(context, idle, 'SIGSTOP'));
  say('hand-over of three listeners, one after another');
  await using idle = await start();
  const handed = await handOver(context, idle);
  const figures: TakeoverFigures = {
    sameIdentityMs: spread(same.sameIdentityMs),
    sameIdentityFromConfigMs: spread(same.sameIdentityFromConfigMs),
    otherPodFastMs: spread(fast),
    otherPodTtlMs: spread(ttl),
    waitOutAfterReleaseMs: spread(waited),
    handOverGapMs: spread(handed),
  };
  return {
    ...figures,
    floorMs: {
      processStart: floor.processStartP50Ms,
      natsRoundTrip: floor.natsRoundTripP50Ms,
      natsMessage: floor.natsP50Ms,
      httpRoundTrip: floor.httpP50Ms,
    },
    floor,
    ratios: takeoverRatios(figures, floor),
    books,
  };
}

async function oneListener(context: BenchContext, start: () => Promise<IdleStack>, kills: number) {
  await using idle = await start();
  const floor = await measureFloor(context, healthUrlOf(idle.stack));
  const listener = idle.startListener('listener-0');
  await idle.untilPolled(idle.names, 0, 60_000);
  const same = await sameIdentity(context, idle, { listener, kills });
  context.say('session records lost: waiting for GitHub to free the sessions');
  const waited = await waitOut(context, idle, listener);
  return { floor, waited, ...same };
}
