import type { SimState } from '@baton/github-sim';

/** `late`: the time for it is over. `look`: it depends on a runner that only Baton knows of yet. */
export type Moment = 'early' | 'now' | 'look' | 'late';

const latestShare = 0.75;

/**
 * Whether a process is to be killed now: some jobs are done, not too many, one runner is busy and
 * one is being created (registered and not online yet). `fromShare` is at least 0.25.
 */
export function findMoment(
  { jobs, runners }: Pick<SimState, 'jobs' | 'runners'>,
  { jobCount, fromShare }: { jobCount: number; fromShare: number },
): Moment {
  const share = jobs.completed / jobCount;
  if (share > latestShare) return 'late';
  if (share < fromShare || jobs.running === 0) return 'early';
  return runners.some(({ connected }) => !connected) ? 'now' : 'look';
}
