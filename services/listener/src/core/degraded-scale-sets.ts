import type { Status } from '@baton/shared/contracts';

interface Known {
  current: Pick<Status, 'scaleSetId' | 'state' | 'reason' | 'conditions'>;
  isOurs: boolean;
  /** For how long no poll has been answered that should have been, in ms; undefined: none is due. */
  pollAgeMs: number | undefined;
}

/** GitHub answers a poll within 50 s: a loop without an answer for this long does not poll, in ms. */
const silentMs = 60_000;

/** What is wrong with single scale sets of this listener: what holds, and polls that do not happen. Pure. */
export function* degradedScaleSets(known: Iterable<Known>): Iterable<readonly [string, string]> {
  for (const { current, isOurs, pollAgeMs = 0 } of known) {
    if (!isOurs) continue;
    const { scaleSetId, state, reason, conditions } = current;
    const why = reason === undefined ? '' : `: ${reason}`;
    const texts = [
      ...(state === 'failed' ? [`cannot be served${why}`] : []),
      ...(pollAgeMs >= silentMs ? [silentText(pollAgeMs, state, why)] : []),
      ...conditions.map(({ type, text }) => `${type}: ${text}`),
    ];
    if (texts.length > 0) yield [scaleSetId, texts.join('; ')];
  }
}

function silentText(ageMs: number, state: string, why: string): string {
  return `no poll was answered for ${Math.round(ageMs / 1_000)} s (${state}${why})`;
}
