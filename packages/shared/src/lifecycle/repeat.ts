import type { Random } from '../retry/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type Clock, isAborted } from '../time/index.ts';

interface RepeatOptions {
  /** What the pass does, for the log. */
  what: string;
  /** Time between two passes, in ms; shortened by up to a fifth, so that processes spread out. */
  everyMs: number;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}

/** Runs `pass` again and again, never two at a time, until the signal is aborted. Never rejects. */
export async function repeat(options: RepeatOptions, pass: () => Promise<unknown>): Promise<void> {
  const { what, everyMs, clock, random, log, signal } = options;
  while (!signal.aborted) {
    try {
      await pass();
    } catch (err) {
      if (!isAborted(signal)) log.warn({ what, err }, 'pass failed, trying again');
    }
    await clock.sleep(everyMs * (0.8 + 0.2 * random()), signal).catch(() => undefined);
  }
}
