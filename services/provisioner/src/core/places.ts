import {
  comparePositions,
  deletedRunnerKeptMs,
  type Plan,
  type Runner,
} from '@baton/shared/contracts';
import type { Place, RunnerView } from './plan-input.ts';

/**
 * A runner that was named this long ago and has no record is not made any more: it may have come and
 * gone, with nobody left who remembers. In ms.
 */
const namedMs = deletedRunnerKeptMs / 2;
/** A runner that exited with 0 keeps its place at the most this long, in ms. */
const keepPlaceMs = 60_000;
/** A runner that lived this long without a job was idle, in ms. */
const idledMs = 60_000;
/** Clocks of two services may differ by this, in ms. */
const skewMs = 2_000;
/** A runner whose job is over may take this long to exit by itself, in ms. */
const completionGraceMs = 30_000;

/**
 * Places for runners that live and have none: GitHub refused to let one go because it was busy, or
 * the plan was lost. One that was adopted while it starts is late only when it has been since then.
 */
export function lostPlaces(plan: Plan | undefined, records: readonly Runner[]): Place[] {
  const named = new Set((plan?.runners ?? []).map(({ runnerId }) => runnerId));
  return records
    .filter(({ runnerId, state }) => !named.has(runnerId) && isAlive(state))
    .map(({ runnerId, state, createdAt, adopted }) => {
      const namedAt = state === 'starting' && adopted ? adopted.at : createdAt;
      return { runnerId, recorded: true, namedAt };
    });
}

function isAlive(state: Runner['state']): boolean {
  return ['requested', 'creating', 'starting', 'idle', 'busy'].includes(state);
}

/**
 * Whether a runner can still take or run a job, or must be counted as if it could. A finished job
 * stays in the demand until a message says that it is over; a runner that is seen to exit before
 * that message keeps its place, or every finished job would be given a second runner. Where the job is
 * known, that lasts until its end is: GitHub's messages may be held back for long, and a demand that was
 * read later may come from one that was written before the end.
 */
export function keepsPlace(
  view: RunnerView,
  { recorded, namedAt }: Place,
  { demand, nowMs }: { demand: Plan['demand']; nowMs: number },
): boolean {
  if (view === 'deleted') return false;
  if (view === 'never') return !recorded && nowMs < Date.parse(namedAt) + namedMs;
  const leaving = view.state === 'failed' || view.state === 'lost';
  if (leaving || (view.mark && view.mark.reason !== 'completed')) return false;
  const exitMs = view.exit && Date.parse(view.exit.at);
  if (exitMs !== undefined && nowMs >= exitMs + keepPlaceMs) return false;
  if (view.completedIn) return !demand || comparePositions(demand, view.completedIn) < 0;
  return exitMs === undefined || mayStandInDemand(view, exitMs, demand);
}

/** Whether the job of a runner that exited may still be counted in the demand. */
function mayStandInDemand(
  { exit, job, createdAt }: Runner,
  exitMs: number,
  demand: Plan['demand'],
): boolean {
  if (exit?.code !== 0) return false;
  if (job) return true;
  // One that has long been idle, while no job was told: it has waited in vain, and is replaced.
  if (demand?.assigned === 0 && exitMs - Date.parse(createdAt) >= idledMs) return false;
  return !demand || Date.parse(demand.observedAt) <= exitMs + skewMs;
}

/** What is known of a kept place now: whether there is a record, and that its runner was online. */
export function refreshed(place: Place, view: RunnerView | undefined): Place {
  const recorded = place.recorded || (view !== undefined && view !== 'never');
  const online = typeof view === 'object' && isOnline(view);
  return { ...place, recorded, ...(online ? { online } : {}) };
}

export function isOnline({ state, onlineAt, job }: Runner): boolean {
  return onlineAt !== undefined || job !== undefined || state === 'idle' || state === 'busy';
}

/** Whether nothing more is to be expected of a runner, so that it can go once it has no place. */
export function hasEnded(runner: Runner, nowMs: number): boolean {
  if (runner.state === 'failed') return true;
  if (runner.state !== 'completed') return false;
  return runner.exit !== undefined || nowMs > Date.parse(runner.stateAt) + completionGraceMs;
}
