import type { BenchContext } from '../context.ts';
import { IdleStack } from '../idle-stack.ts';
import { type Floor, measureFloor } from '../measure/floor.ts';
import { type Spread, spread } from '../measure/percentiles.ts';
import { handOver, otherPod, sameIdentity, sessionExpiryMs, waitOut } from './scenarios.ts';

export interface TakeoverOptions {
  /** Scale sets; each is one sample a strike. */
  sets: number;
  /** Strikes of the same identity, so that the start of a process is sampled too. */
  kills: number;
}

/** All in ms; each sample is a scale set. What nothing was measured of is undefined. */
export interface TakeoverReport {
  sameIdentityMs: Spread | undefined;
  sameIdentityFromConfigMs: Spread | undefined;
  otherPodFastMs: Spread | undefined;
  otherPodTtlMs: Spread | undefined;
  waitOutAfterReleaseMs: Spread | undefined;
  handOverGapMs: Spread | undefined;
  floorMs: Floor;
}

/** With two listeners only half of the sets are struck, so that is done again. */
const rounds = 2;

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
  return {
    sameIdentityMs: spread(same.sameIdentityMs),
    sameIdentityFromConfigMs: spread(same.sameIdentityFromConfigMs),
    otherPodFastMs: spread(fast),
    otherPodTtlMs: spread(ttl),
    waitOutAfterReleaseMs: spread(waited),
    handOverGapMs: spread(handed),
    floorMs: floor,
  };
}

async function oneListener(context: BenchContext, start: () => Promise<IdleStack>, kills: number) {
  await using idle = await start();
  const floor = await measureFloor(idle.nats, context.clock);
  const listener = idle.startListener('listener-0');
  await idle.untilPolled(idle.names, 0, 60_000);
  const same = await sameIdentity(context, idle, { listener, kills });
  context.say('session records lost: waiting for GitHub to free the sessions');
  const waited = await waitOut(context, idle, listener);
  return { floor, waited, ...same };
}
