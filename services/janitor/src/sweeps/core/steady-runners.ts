import { type Runner, runnerKey } from '@baton/shared/contracts';
import type { SweepViews } from '../sweep.ts';

/**
 * The runners that nobody has marked, and whose state was the same before and after the lists were
 * read; the oldest first. What moved meanwhile is looked at the next time.
 */
export function steadyRunners({ before, after }: SweepViews): Runner[] {
  const known = new Map(before.items.map((runner) => [keyOf(runner), momentOf(runner)]));
  return after.items
    .filter((runner) => !runner.mark && known.get(keyOf(runner)) === momentOf(runner))
    .toSorted((a, b) => compare(a.createdAt, b.createdAt) || compare(a.runnerId, b.runnerId));
}

/** A runner in one state: whatever was seen of it before it moved counts no more. */
export function sightingKey(runner: Runner): string {
  return `${keyOf(runner)} ${momentOf(runner)}`;
}

export function keyOf({ scaleSetId, runnerId }: Runner): string {
  return runnerKey(scaleSetId, runnerId);
}

function momentOf({ state, stateAt }: Runner): string {
  return `${state} ${stateAt}`;
}

export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
