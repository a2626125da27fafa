import { type Runner, runnerKey } from '@baton/shared/contracts';
import type { SweepViews } from '../sweep.ts';

/**
 * The runners that nobody has marked, and whose state was the same before and after the lists were
 * read. What moved meanwhile is looked at the next time.
 */
export function steadyRunners({ before, after }: SweepViews): Runner[] {
  // A copy of the records keeps what nobody wrote: of most runners it is the very same object.
  const same = new Set(before.items);
  const moved = after.items.some((runner) => !same.has(runner));
  const known = new Map(
    moved ? before.items.map((runner) => [keyOf(runner), momentOf(runner)]) : [],
  );
  return after.items.filter(
    (runner) => !runner.mark && (same.has(runner) || known.get(keyOf(runner)) === momentOf(runner)),
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
