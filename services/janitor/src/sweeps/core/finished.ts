import type { Runner } from '@baton/shared/contracts';
import { endMark } from '@baton/shared/runners';
import type { Sweep } from '../sweep.ts';
import { decideByLooks, fine, type Verdict } from './decide-by-looks.ts';
import { markFinding } from './mark-finding.ts';
import type { Sightings } from './sightings.ts';
import { sightingKey, steadyRunners } from './steady-runners.ts';

/** Planners mark who has ended within 90 s at the most: none looks after the scale set, in ms. */
const leftMs = 600_000;

/**
 * Runners that have ended and that nobody has marked. Not guarded: what is marked has ended by its own
 * record, and goes without GitHub's word only when its exit was seen or nothing was ever made of it.
 */
export const finished: Sweep<Sightings> = {
  name: 'finished',
  needs: [],
  guarded: false,
  start: new Map(),
  decide: (views, memory) =>
    decideByLooks(views, memory, {
      items: steadyRunners(views),
      keyOf: sightingKey,
      judge: judgeEnded,
    }),
};

function judgeEnded(runner: Runner): Verdict {
  const { state } = runner;
  if (state !== 'completed' && state !== 'failed' && state !== 'lost') return fine;
  // Which failures leave nothing behind is known to provisioners: here any of them may.
  const mark = endMark(runner, () => true);
  const find = markFinding(
    runner,
    mark,
    (span) => `it is ${state}, and nobody has marked it for ${span}`,
  );
  return { kind: 'odd', what: 'ended', lastingMs: leftMs, lists: [], find };
}
