import type { Runner } from '@baton/shared/contracts';
import type { Sweep, SweepViews } from '../sweep.ts';
import { decideByLooks, fine, unseen, type Verdict } from './decide-by-looks.ts';
import { isHere, type Lists, listsOf } from './lists.ts';
import { markFinding } from './mark-finding.ts';
import type { Sightings } from './sightings.ts';
import { sightingKey, steadyRunners } from './steady-runners.ts';

/** No create lasts so long, in ms; where a provider's own limit is longer, twice that. */
const creatingMs = 3_600_000;
/** A scale set that lost its spec may get it back, when NATS is restored: in ms. */
const withoutSpecMs = 600_000;

/**
 * Runners that nobody creates any more. Provisioners see to that within minutes; this holds when none
 * of them is alive, or none knows the scale set.
 */
export const stuckCreating: Sweep<Sightings> = {
  name: 'stuck-creating',
  needs: ['instances'],
  guarded: true,
  start: new Map(),
  decide: (views, memory) => {
    const lists = listsOf(views);
    const items = steadyRunners(views).filter((runner) => isHere(lists, runner));
    const judge = (runner: Runner) => judgeWaiting(views, lists, runner);
    return decideByLooks(views, memory, { items, keyOf: sightingKey, judge });
  },
};

function judgeWaiting(views: SweepViews, lists: Lists, runner: Runner): Verdict {
  if (runner.state === 'requested') return judgeRequested(views, lists, runner);
  const list = lists.ofProvider(runner);
  if (!list) return unseen;
  if (runner.state !== 'creating') return fine;
  const lastingMs = Math.max(creatingMs, 2 * (list.provider.createTimeoutMs ?? 0));
  const find = markFinding(
    runner,
    { reason: 'stuck', gate: 'github' },
    (span) => `its creation has neither succeeded nor failed for ${span}`,
  );
  return { kind: 'odd', what: 'creating', lastingMs, lists: [list], find };
}

/** While its scale set has a spec, it waits for room, for a provider or for GitHub, as long as it takes. */
function judgeRequested({ specs }: SweepViews, lists: Lists, runner: Runner): Verdict {
  if (specs.has(runner.scaleSetId)) return fine;
  const list = lists.ofProvider(runner);
  const isListed = list?.byRunner.has(runner.runnerId) ?? false;
  // An old copy of the record, restored, may say so of one that runs by now.
  const gate = isUntouched(runner) && !isListed ? 'none' : 'github';
  const find = markFinding(
    runner,
    { reason: 'stuck', gate },
    (span) => `no scale set has declared it for ${span}, and nobody has begun to create it`,
  );
  return {
    kind: 'odd',
    what: 'requested',
    lastingMs: withoutSpecMs,
    lists: list ? [list] : [],
    find,
  };
}

/** Nothing exists of it anywhere. */
function isUntouched({ creator, instanceId, githubRunnerId }: Runner): boolean {
  return creator === undefined && instanceId === undefined && githubRunnerId === undefined;
}
