import type { Status } from '@baton/shared/contracts';

interface Known {
  current: Pick<Status, 'scaleSetId' | 'state' | 'reason' | 'conditions'>;
  /** This listener works on it, or waits for another that does. */
  isOurs: boolean;
}

/**
 * Why a listener does not do its work; undefined when it does. A wait is healthy: for a lease, for a
 * stale session, for GitHub. One scale set with a problem is no reason to take the others their
 * listener, or to stop a rollout; all of them failing is. Pure.
 */
export function notReadyReason(known: Iterable<Known>): string | undefined {
  const sets = [...known];
  const broken = sets.filter(({ current, isOurs }) => isOurs && cannotWork(current));
  const [first] = broken;
  if (!first || broken.length < sets.length) return undefined;
  const reason = first.current.reason ?? first.current.conditions[0]?.text ?? 'no reason known';
  return `none of ${sets.length} scale sets can be served; ${first.current.scaleSetId}: ${reason}`;
}

function cannotWork({ state, conditions }: Known['current']): boolean {
  return state === 'failed' || conditions.some(({ type }) => type === 'stuck');
}
