import type { Span } from '../cut.ts';
import type { Sight } from './witness.ts';

/**
 * From the end of a poll to the next one are about so many steps of processes, one after the other: the answer
 * is read, its message is handled with NATS, the next poll is sent, and held.
 */
const stepsInARow = 4;
/** CPU time of these steps, and of the hand-over of some scale sets at once, in ms. */
const stepsMs = 300;
/** CPU time of the start of a listener, in ms: docs/performance.md, `takeover`. */
const startMs = 1_500;
/** Work is looked at so often, in ms. */
const workEveryMs = 1_000;

/**
 * How much longer than on a machine with nothing else to do it may take to poll again, in ms: each step by the
 * longest standstill of that time, and what it costs of CPU by how work was stretched then. Pure.
 */
export function slownessMs(
  sights: readonly Sight[],
  { fromMs, toMs }: Span,
  { starts }: { starts: boolean },
): number {
  const standstill = longestMs(sights.filter((one) => one.toMs >= fromMs && one.fromMs <= toMs));
  const around = sights.filter(
    (one) => one.toMs >= fromMs - workEveryMs && one.fromMs <= toMs + workEveryMs,
  );
  const workMs = stepsMs + (starts ? startMs : 0);
  return Math.round(stepsInARow * standstill + workMs * (meanStretch(around) - 1));
}

export function longestMs(sights: readonly Sight[]): number {
  return sights.reduce(
    (longest, { kind, fromMs, toMs }) =>
      kind === 'standstill' ? Math.max(longest, toMs - fromMs) : longest,
    0,
  );
}

/** How many times as long work took, on average; 1 when nobody looked. */
export function meanStretch(sights: readonly Sight[]): number {
  const stretches = sights.flatMap((one) => (one.kind === 'work' ? [one.stretch] : []));
  if (stretches.length === 0) return 1;
  return Math.max(1, stretches.reduce((sum, stretch) => sum + stretch, 0) / stretches.length);
}
