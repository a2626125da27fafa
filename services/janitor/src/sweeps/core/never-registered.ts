import type { Runner as Registration } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import type { Sweep, SweepViews } from '../sweep.ts';
import { decideByLooks, fine, unknown, type Verdict } from './decide-by-looks.ts';
import { findSuspicious, type Lists, listsOf, type NamedView } from './lists.ts';
import { markFinding } from './mark-finding.ts';
import type { Sightings } from './sightings.ts';
import { sightingKey, steadyRunners } from './steady-runners.ts';

/** Provisioners replace it at its deadline, and see more than GitHub's list: they are left this time, in ms. */
const afterDeadlineMs = 300_000;

/** Runners that have not come online in time, while no provisioner looks. */
export const neverRegistered: Sweep<Sightings> = {
  name: 'never-registered',
  needs: ['registrations'],
  guarded: true,
  start: new Map(),
  decide: (views, memory) => {
    const lists = listsOf(views);
    const items = steadyRunners(views);
    const suspicious = findSuspicious(
      items
        .filter(({ state }) => state === 'starting')
        .map((runner) => {
          const list = lists.ofScaleSet(runner.scaleSetId);
          return { list, isMissing: list?.entryOf(runner.name) === undefined };
        }),
    );
    const judge = (runner: Runner) => judgeStarting(views, lists, suspicious.lists, runner);
    return decideByLooks(views, memory, {
      items,
      keyOf: sightingKey,
      judge,
      problem: suspicious.problem,
    });
  },
};

function judgeStarting(
  { specs }: SweepViews,
  lists: Lists,
  suspicious: ReadonlySet<NamedView>,
  runner: Runner,
): Verdict {
  if (runner.state !== 'starting') return fine;
  const spec = specs.get(runner.scaleSetId);
  if (!spec) return unknown('no scale set declares it');
  const list = lists.ofScaleSet(runner.scaleSetId);
  if (!list) return unknown("no list of GitHub's");
  const entry = list.entryOf(runner.name);
  if (!entry && suspicious.has(list)) return unknown('the list is suspicious');
  if (entry && isUp(entry)) return fine;
  if (entry && entry.status !== 'offline')
    return unknown('GitHub does not say whether it is online');
  const deadlineMs = spec.declaration.bootstrapTimeoutSeconds * 1_000;
  const told = runner.progress === undefined ? '' : `: ${runner.progress}`;
  const find = markFinding(
    runner,
    { reason: 'registration-deadline', gate: 'github' },
    (span) => `it has been starting for ${span} and did not come online${told}`,
  );
  const lastingMs = deadlineMs + afterDeadlineMs;
  return { kind: 'odd', what: 'not online', lastingMs, lists: [list], find };
}

function isUp({ status, busy }: Registration): boolean {
  return status === 'online' || busy === true;
}
