import type { Random } from '../retry/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type Clock, isAborted } from '../time/index.ts';
import type { Health } from './health.ts';

interface RepeatOptions {
  /** What the pass does, for the log. */
  what: string;
  /** Time between two passes, in ms; shortened by up to a fifth, so that processes spread out. */
  everyMs: number;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Told when a pass does not end: only a restart mends that, since all that it waits for has a deadline. */
  health?: Pick<Health, 'watchWedged'> | undefined;
  signal: AbortSignal;
}

/** No pass takes as long as this, in ms. */
const wedgedMs = 15 * 60_000;

/** Runs `pass` again and again, never two at a time, until the signal is aborted. Never rejects. */
export async function repeat(options: RepeatOptions, pass: () => Promise<unknown>): Promise<void> {
  const { what, everyMs, clock, random, log, health, signal } = options;
  let beganAt: number | undefined;
  const unwatch = health?.watchWedged(`pass over ${what}`, () => {
    const forMs = beganAt === undefined ? 0 : clock.monotonic() - beganAt;
    return forMs < wedgedMs ? undefined : `has not ended for ${Math.round(forMs / 1_000)} s`;
  });
  while (!signal.aborted) {
    beganAt = clock.monotonic();
    try {
      await pass();
    } catch (err) {
      if (!isAborted(signal)) log.warn({ what, err }, 'pass failed, trying again');
    }
    beganAt = undefined;
    await clock.sleep(everyMs * (0.8 + 0.2 * random()), signal).catch(() => undefined);
  }
  unwatch?.();
}
