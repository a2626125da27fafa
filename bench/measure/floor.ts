import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Nats } from '@baton/shared/messaging';
import { openPlans } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import { type Spread, spread } from './percentiles.ts';

/** What nothing on this machine can be faster than, measured in the same run. */
export interface Floor {
  /** From the start to the end of a process that does nothing. */
  processStart: Spread | undefined;
  /** A read of a key that does not exist. */
  natsRoundTrip: Spread | undefined;
}

const starts = 5;
const roundTrips = 100;

export async function measureFloor(nats: Nats, clock: Clock): Promise<Floor> {
  const plans = await openPlans(nats);
  return {
    processStart: spread(await repeat(starts, clock, bareStart)),
    natsRoundTrip: spread(await repeat(roundTrips, clock, () => plans.get('no-such-set'))),
  };
}

/** An answer of a server that does nothing for it. */
export async function httpRoundTrip(url: string, clock: Clock): Promise<Spread | undefined> {
  const ask = async () => void (await (await fetch(url)).arrayBuffer());
  return spread(await repeat(roundTrips, clock, ask));
}

async function bareStart(): Promise<void> {
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
}

async function repeat(
  count: number,
  clock: Clock,
  work: () => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = clock.monotonic();
    await work();
    times.push(clock.monotonic() - startedAt);
  }
  return times;
}
