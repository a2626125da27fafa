import type { Plan, Spec } from '@baton/shared/contracts';
import { type BackoffPolicy, backoffMs } from '@baton/shared/retry';
import { isBusy } from './demand.ts';
import { isoOf, isPast, type Situation } from './plan-input.ts';

type Ghost = Plan['ghost'];

/** So many runners must have ended unused before GitHub's count is doubted. */
const enough = 3;
/** A start may be known before the demand that counts its job, by so much, in ms. */
const settledMs = 10_000;
/** After a runner that was tried in vain. */
const probeDelay: BackoffPolicy = { baseMs: 60_000, maxMs: 30 * 60_000, minMs: 30_000 };

/**
 * Bounds what is made for jobs that do not exist. GitHub's count has been seen stuck, far above the
 * truth, and a runner that waits for nothing is removed by GitHub after minutes: without a bound each
 * is replaced for ever.
 *
 * The evidence: a waiting job is given to any runner that is idle. So a runner that ends unused while
 * jobs are told to wait says that none waited. Three such ends are enough if, since the first, the count
 * has not changed and no runner has got a job: what moves is not stuck. Then all jobs that no runner
 * has are `ghosts`, and wanted is what the count says beyond them: a new job raises the count, and has
 * its runner at once.
 *
 * The test: of the jobs that are told, ghosts and those that run are different ones. As soon as there
 * are fewer than both together, the ghosts were jobs, or are gone: the count is believed again. So
 * that this can show, one runner is kept trying, unless `minRunners` keep some anyway; each one that
 * ends unused doubles the time before the next, up to half an hour.
 *
 * Runners that wait idle are left alone, ghosts or not: they cost nothing new. Runners that GitHub
 * removes while nobody is said to wait (a warm pool) are replaced at once and count for nothing here;
 * those that end within a minute are failures, see `creation-backoff.ts`.
 */
export function nextGhost(situation: Situation): Ghost {
  const { plan, demand, ends, nowMs, random } = situation;
  // The jobs that were told while they waited: one that is new by this pass is no evidence.
  const assigned = Math.min(demand?.assigned ?? 0, plan?.demand?.assigned ?? 0);
  const before = withdrawn(plan?.ghost, situation);
  const unserved = assigned - busyCount(situation);
  const ended = ends.filter((end) => end.class === 'unused').length;
  if (ended === 0 || unserved <= 0) return before;

  const goesOn = before?.assigned === assigned && isUnmoved(before, situation);
  const unused = (goesOn ? before.unused : 0) + ended;
  const proven = unused >= enough;
  const ghosts = proven ? unserved : (before?.ghosts ?? 0);
  const probes = (before?.probes ?? 0) + (before && before.ghosts > 0 ? 1 : 0);
  return {
    unused,
    since: goesOn ? before.since : isoOf(nowMs),
    assigned,
    ghosts,
    probes,
    probeAt: ghosts > 0 ? isoOf(nowMs + backoffMs(probes, probeDelay, random)) : isoOf(nowMs),
  };
}

/** What stands of the doubts: a refuted belief, or evidence that has moved, is forgotten. */
function withdrawn(ghost: Ghost, situation: Situation): Ghost {
  if (!ghost) return undefined;
  if (ghost.ghosts === 0) return isUnmoved(ghost, situation) ? ghost : undefined;
  const { plan, demand, records, nowMs } = situation;
  // A demand may know before the record of a runner does that its job is over.
  const assigned = Math.max(demand?.assigned ?? 0, plan?.demand?.assigned ?? 0);
  const settled = records.filter(
    (runner) =>
      isBusy(runner) && nowMs - Date.parse(runner.job?.startedAt ?? runner.stateAt) > settledMs,
  ).length;
  return assigned < ghost.ghosts + settled ? undefined : ghost;
}

function isUnmoved({ assigned, since }: NonNullable<Ghost>, situation: Situation): boolean {
  const { demand, records } = situation;
  if (demand?.assigned !== assigned || assigned <= busyCount(situation)) return false;
  return !records.some(({ job }) => job !== undefined && job.startedAt >= since);
}

function busyCount({ records }: Situation): number {
  return records.filter(isBusy).length;
}

/** How many more runners may be named now, beside `serving` that could take a job. */
export function allowedByGhosts(
  ghost: Ghost,
  { asked, serving, spec, nowMs }: { asked: number; serving: number; spec: Spec; nowMs: number },
): number {
  if (!ghost || ghost.ghosts === 0) return Number.POSITIVE_INFINITY;
  const believed = asked - ghost.ghosts - serving;
  if (believed > 0) return believed;
  const tries = spec.declaration.minRunners === 0 && isPast(ghost.probeAt, nowMs);
  return tries && believed === 0 ? 1 : 0;
}

/** What the operator is told; undefined while there is nothing to tell. */
export function ghostText(ghost: Ghost): string | undefined {
  if (!ghost || ghost.ghosts === 0) return undefined;
  const { ghosts, since } = ghost;
  return `GitHub says that ${ghosts} ${ghosts === 1 ? 'job waits' : 'jobs wait'} which no runner is given: runners have ended unused since ${since}. New jobs get runners; if real jobs wait, look at an instance's log, and at GitHub's status`;
}
