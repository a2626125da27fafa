import type { InstanceProblem } from '@baton/providers';

/** A provider tries this long by itself to get what an instance lacks (an image, for instance), in ms. */
const graceMs = 60_000;

/**
 * What a problem means for an instance that has not come up, when it has had one for `forMs`. What may
 * pass by itself is only told; the registration deadline ends it. Anything else fails the runner after a
 * grace, long before its deadline.
 */
export function judgeProblem(problem: InstanceProblem, forMs: number): 'tell' | 'fail' {
  if (problem.class === 'transient' || problem.class === 'quota') return 'tell';
  return forMs >= graceMs ? 'fail' : 'tell';
}
