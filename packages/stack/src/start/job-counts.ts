import type { SimState } from '@baton/github-sim';

type JobCounts = SimState['jobs'];

/** Jobs that are not over. */
export function openJobs({ queued, available, assigned, running }: JobCounts): number {
  return queued + available + assigned + running;
}
