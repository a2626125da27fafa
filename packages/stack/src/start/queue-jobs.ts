import type { SimControl } from '@baton/github-sim';
import type { Clock } from '@baton/shared/time';
import { openJobs } from './job-counts.ts';
import type { PlannedJob } from './workload.ts';

interface QueueJobsOptions {
  sim: SimControl;
  jobs: Iterable<PlannedJob>;
  scaleSets: readonly string[];
  clock: Clock;
  signal: AbortSignal;
}

/** While so many jobs are not over, no more are added: what a small machine can stand. */
const mostOpenJobs = 30;

/** Queues the jobs when their time has come; resolves when all are queued. */
export async function queueJobs(options: QueueJobsOptions): Promise<void> {
  const { sim, jobs, scaleSets, clock, signal } = options;
  let startedAt = clock.monotonic();
  for (const { atMs, scaleSet, durationMs } of jobs) {
    await clock.sleep(Math.max(0, startedAt + atMs - clock.monotonic()), signal);
    const heldUpFrom = clock.monotonic();
    while (openJobs((await sim.state()).jobs) >= mostOpenJobs) await clock.sleep(100, signal);
    startedAt += clock.monotonic() - heldUpFrom;
    const name = scaleSets[scaleSet];
    if (name !== undefined) await sim.addJobs({ scaleSet: name, durationMs });
  }
}
