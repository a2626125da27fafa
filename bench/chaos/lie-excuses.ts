import type { Disturbance } from './driver.ts';
import { callOf, type Lie } from './lies/lie.ts';
import type { Told } from './lies/lie-book.ts';

/** A list that leaves a runner out for less than this costs nobody a place, in ms. */
const believedAfterMs = 10_000;
/** From the end of a lie to the last replacement that it called for, online, in ms. */
const createdLateMs = 30_000;

/** A runner that was lied about: it may be replaced, once, and one of the two then gets no job. */
export interface LiedAbout {
  runnerName: string;
  scaleSetId: string;
  /** Wall clock, ms. */
  fromMs: number;
  toMs: number;
}

/**
 * The runners that Baton had to take for lost or never made: their create was said to have failed although
 * it had not, or a list left them out for as long as is believed. Nothing else that a provider says
 * calls for a runner. Pure.
 */
export function runnersLiedAbout(
  told: readonly Told[],
  disturbances: readonly Disturbance[],
): LiedAbout[] {
  const lies = new Map(
    disturbances.flatMap(({ step, lie, toMs }) =>
      step.kind === 'lie' && lie !== undefined ? [[lie, { lie: step.lie, toMs }] as const] : [],
    ),
  );
  const believed = told.flatMap(({ lie: id, atMs, ...runner }) => {
    const { lie, toMs = 0 } = lies.get(id) ?? {};
    if (!lie || !isBelieved(lie, toMs - atMs)) return [];
    return [{ ...runner, fromMs: atMs, toMs: toMs + createdLateMs }];
  });
  const byRunner = Map.groupBy(believed, ({ runnerId }) => runnerId);
  return [...byRunner.values()].flatMap(([first, ...others]) => {
    if (!first) return [];
    const { runnerName, scaleSetId } = first;
    const fromMs = Math.min(first.fromMs, ...others.map((other) => other.fromMs));
    const toMs = Math.max(first.toMs, ...others.map((other) => other.toMs));
    return [{ runnerName, scaleSetId, fromMs, toMs }];
  });
}

function isBelieved(lie: Lie, forMs: number): boolean {
  const call = callOf(lie);
  return call === 'create' || (call === 'list' && forMs >= believedAfterMs);
}
