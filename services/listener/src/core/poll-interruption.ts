import type { Random } from '@baton/shared/retry';

/** A scale set that may run nothing gets no job before it is polled anew, in ms. */
const fromNothingMs = 250;
/** Room that becomes free is told to all who share a provider at the same moment, in ms. */
const increase = { leastMs: 1_000, spreadMs: 1_000 };

/**
 * How long a poll that was made with the capacity `told` goes on although it is `now` another one, in
 * ms; undefined: to its end. Less is said at once, because GitHub could assign too much. More waits:
 * several increases become one, and a thousand scale sets do not poll anew together. Pure.
 */
export function interruptAfterMs(told: number, now: number, random: Random): number | undefined {
  if (now === told) return undefined;
  if (now < told) return 0;
  return told === 0 ? fromNothingMs * random() : increase.leastMs + increase.spreadMs * random();
}
