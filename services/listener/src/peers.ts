import type { LivenessProber } from '@baton/shared/lease';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { Members } from './members.ts';

interface PeersDeps {
  members: Pick<Members, 'drain' | 'look' | 'others'>;
  prober: Pick<LivenessProber, 'check' | 'trustsSilence'>;
  clock: Clock;
  log: Logger;
}

/** Listeners that are stopped together say so within this time, in ms. */
const othersWordMs = 250;

/**
 * Whether anybody is there to hand sessions over to, for a listener that drains: it says so when it is
 * asked first, and looks again each time. A membership outlives its process by a TTL, so those that
 * nobody answers for do not count. While NATS is away nobody knows: true, for the sessions are left
 * with their records to whoever comes.
 */
export function peersOf({ members, prober, clock, log }: PeersDeps): () => Promise<boolean> {
  let told: Promise<void> | undefined;
  let warned = false;
  async function tell(): Promise<void> {
    if (await members.drain()) await clock.sleep(othersWordMs);
  }
  return async () => {
    try {
      told ??= tell();
      await told;
      await members.look();
      const verdicts = await Promise.all(members.others.map((other) => prober.check(other)));
      return verdicts.some((verdict) => verdict !== 'dead' && !isSilent(verdict, prober));
    } catch (err) {
      if (!warned) log.warn({ err }, 'other listeners could not be told that this one drains');
      warned = true;
      return true;
    }
  };
}

/** One silence proves no death, but closing a session of our own needs no proof. */
function isSilent(verdict: string, { trustsSilence }: Pick<LivenessProber, 'trustsSilence'>) {
  return verdict === 'suspect' && trustsSilence;
}
