import { type Runner, runnerKey } from '@baton/shared/contracts';
import type { SweepViews } from '../sweep.ts';

/**
 * Sweeps that run together ask the same: by the records of after, then by those of before. Both weakly, since the
 * records of before are often those of after of an earlier look, which would be held by this one, and so on
 * back to the first.
 */
const found = new WeakMap<readonly Runner[], WeakMap<readonly Runner[], readonly Runner[]>>();

/**
 * The runners that nobody has marked, and whose state was the same before and after the lists were
 * read. What moved meanwhile is looked at the next time.
 */
export function steadyRunners({ before, after }: SweepViews): readonly Runner[] {
  const byBefore = found.get(after.items) ?? new WeakMap<readonly Runner[], readonly Runner[]>();
  found.set(after.items, byBefore);
  const steady = byBefore.get(before.items) ?? findSteady(before.items, after.items);
  byBefore.set(before.items, steady);
  return steady;
}

function findSteady(before: readonly Runner[], after: readonly Runner[]): readonly Runner[] {
  const unmarked = after.filter(({ mark }) => !mark);
  if (before === after) return unmarked;
  // A copy of the records keeps what nobody wrote: of most runners it is the very same object.
  const same = new Set(before);
  const moved = unmarked.some((runner) => !same.has(runner));
  const known = new Map(moved ? before.map((runner) => [keyOf(runner), momentOf(runner)]) : []);
  return unmarked.filter(
    (runner) => same.has(runner) || known.get(keyOf(runner)) === momentOf(runner),
  );
}

/** A runner in one state: whatever was seen of it before it moved counts no more. */
export function sightingKey(runner: Runner): string {
  return `${keyOf(runner)} ${momentOf(runner)}`;
}

function momentOf({ state, stateAt }: Runner): string {
  return `${state} ${stateAt}`;
}

function keyOf({ scaleSetId, runnerId }: Runner): string {
  return runnerKey(scaleSetId, runnerId);
}
