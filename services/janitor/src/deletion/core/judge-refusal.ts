import type { Runner } from '@baton/shared/contracts';
import { isGateOpen } from './next-step.ts';

/**
 * Why GitHub did not let go of a registration. `busy`: it believes in a job. `refused`: it cannot be asked
 * with what there is (no spec, no credential), or says no. `outage`: it did not answer.
 */
export type Refusal = 'busy' | 'refused' | 'outage';

/**
 * - `keep`: the runner works, its mark is taken back.
 * - `look-again`: the provider's list decides between the two of them.
 * - `leave`: nothing of ours is left, the registration is GitHub's.
 */
export type Verdict = 'keep' | 'look-again' | 'leave' | 'retry';

export interface RefusalLimits {
  /** How long GitHub may refuse once the instance is gone, in ms. */
  deregisterDeadlineMs: number;
  /** How long GitHub is believed when it says that a lost runner is busy, in ms. */
  lostDeadlineMs: number;
}

/** A debt to a GitHub that does not answer is owed for this long, in ms: as long as it keeps a job. */
export const outageDeadlineMs = 24 * 3_600_000;

/** What follows from a refusal. Pure. */
export function judgeRefusal(
  runner: Runner,
  refusal: Refusal,
  nowMs: number,
  limits: RefusalLimits,
): Verdict {
  const overMs = patienceEndsMs(runner, refusal, limits);
  const isOver = overMs !== undefined && nowMs >= overMs;
  if (isGateOpen(runner)) return isOver ? 'leave' : 'retry';
  if (refusal !== 'busy') return 'retry';
  // One that is lost has no instance to be busy in, as far as its provider says, and no place either.
  if (runner.mark?.reason !== 'lost') return 'keep';
  return isOver ? 'look-again' : 'retry';
}

/** When a refusal of this kind is waited for no longer; undefined when it is for ever. Pure. */
export function patienceEndsMs(
  { mark, deletion, stateAt }: Runner,
  refusal: Refusal,
  limits: RefusalLimits,
): number | undefined {
  if (deletion?.instanceDeleted) {
    // Records of an earlier version do not say when.
    const goneMs = Date.parse(deletion.instanceDeletedAt ?? stateAt);
    return goneMs + (refusal === 'outage' ? outageDeadlineMs : limits.deregisterDeadlineMs);
  }
  if (mark?.reason !== 'lost' || refusal !== 'busy') return undefined;
  return Date.parse(mark.at) + limits.lostDeadlineMs;
}
