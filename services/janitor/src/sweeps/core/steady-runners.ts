import { type Runner, runnerKey } from '@baton/shared/contracts';
import type { SweepViews } from '../sweep.ts';

/** Sweeps that run together ask the same. By the records of after. */
const found = new WeakMap<
  readonly Runner[],
  { before: readonly Runner[]; steady: readonly Runner[] }
>();

/**
 * The runners that nobody has marked, and whose state was the same before and after the lists were
 * read. What moved meanwhile is looked at the next time.
 */
export function steadyRunners({ before, after }: SweepViews): readonly Runner[] {
  const known = found.get(after.items);
  if (known?.before === before.items) return known.steady;
  const steady = findSteady(before.items, after.items);
  found.set(after.items, { before: before.items, steady });
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
