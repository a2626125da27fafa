import { type Runner, runnerKey } from '@baton/shared/contracts';
import type { SweepViews } from '../sweep.ts';

/**
 * The runners that nobody has marked, and whose state was the same before and after the lists were
 * read. What moved meanwhile is looked at the next time.
 */
export function steadyRunners({ before, after }: SweepViews): Runner[] {
  const known = new Map(before.items.map((runner) => [keyOf(runner), runner]));
  return after.items.filter((runner) => {
    if (runner.mark) return false;
    const was = known.get(keyOf(runner));
    return was?.state === runner.state && was.stateAt === runner.stateAt;
  });
}

/** A runner in one state: whatever was seen of it before it moved counts no more. */
export function sightingKey(runner: Runner): string {
  return `${keyOf(runner)} ${runner.state} ${runner.stateAt}`;
}

function keyOf({ scaleSetId, runnerId }: Runner): string {
  return runnerKey(scaleSetId, runnerId);
}
