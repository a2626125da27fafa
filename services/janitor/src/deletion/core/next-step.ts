import type { Deletion, Runner } from '@baton/shared/contracts';

export type Step = 'delete-instance' | 'deregister' | 'remove-record';

export const notBegun: Deletion = { attempts: 0, deregistered: false, instanceDeleted: false };

/**
 * An instance whose id nobody wrote down is taken to be gone when two lists this far apart do not have it,
 * in ms: a provider may list late what it has just made.
 */
export const absentMs = 5_000;

/** How long a claim holds, in ms. */
export const claimMs = 10_000;

/** The longest pause after a failure, in ms. */
export const longestPauseMs = 300_000;

interface Now {
  nowMs: number;
  /** Who asks: what it has claimed itself, in an earlier life, it may go on with. */
  by: string;
}

/**
 * What comes next in a runner's deletion; undefined while there is nothing to be done. A pause is of the step
 * that failed: one that is the next since, because the gate has been opened, need not wait for it. Pure.
 */
export function nextStep(runner: Runner, { nowMs, by }: Now): Step | undefined {
  const { mark, deletion = notBegun } = runner;
  const { claim } = deletion;
  if (!mark || (claim && claim.by !== by && isAhead(claim.until, nowMs, claimMs))) return undefined;
  const left = stepsLeft(runner);
  const next =
    left.length === 0
      ? 'remove-record'
      : left.find((step) => step === 'deregister' || mayLook(deletion, nowMs));
  return next && isPaused(deletion, next, nowMs) ? undefined : next;
}

function isPaused({ retryAt, failedStep }: Deletion, step: Step, nowMs: number): boolean {
  return isAhead(retryAt, nowMs, longestPauseMs) && (failedStep ?? step) === step;
}

/** What is left to do, in the order that the gate asks for. Pure. */
export function stepsLeft(runner: Runner): Step[] {
  const { deregistered, instanceDeleted } = runner.deletion ?? notBegun;
  if (isUntouched(runner)) return [];
  const left: Step[] = [];
  if (!instanceDeleted) left.push('delete-instance');
  if (!deregistered) left.push('deregister');
  return isGateOpen(runner) ? left : left.toReversed();
}

/**
 * A runner that was seen to end cannot have taken a job, whatever GitHub still believes; nor can one whose
 * instance or host is gone.
 */
export function isGateOpen({ mark, exit, deletion }: Runner): boolean {
  if (mark?.gate === 'none' || mark?.hostGone) return true;
  return exit !== undefined || deletion?.instanceDeleted === true;
}

/** Nobody has ever begun to make it: there is nothing anywhere to look for. */
function isUntouched({ creator, instanceId, githubRunnerId, deletion }: Runner): boolean {
  return !(creator ?? instanceId ?? githubRunnerId ?? deletion);
}

function mayLook({ absentAt }: Deletion, nowMs: number): boolean {
  return !isAhead(absentAt, nowMs - absentMs, absentMs);
}

/** A time that is further ahead than it can be was written by a clock that is wrong, and holds up nothing. */
function isAhead(at: string | undefined, nowMs: number, mostMs: number): boolean {
  if (at === undefined) return false;
  const aheadMs = Date.parse(at) - nowMs;
  return aheadMs > 0 && aheadMs <= mostMs;
}
