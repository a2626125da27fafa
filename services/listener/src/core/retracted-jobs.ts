import type { JobCompleted, JobMessage } from '@baton/scaleset';
import { jobKey } from './job-key.ts';

/**
 * Finds jobs that GitHub took back with a session that was replaced: it says that they were assigned
 * and then cancelled, before any runner had them, in the backlog of the next session (measured). To
 * their authors they look cancelled by somebody; only GitHub can queue them again.
 */
export class RetractedJobs {
  readonly #assigned = new Set<string>();
  readonly #retracted = new Set<string>();

  /** How many are gone, as far as known; those assigned again do not count. */
  get count(): number {
    return this.#retracted.size;
  }

  /** Takes in the jobs of a message; returns those it retracts. After the backlog there are none. */
  onMessage(jobs: readonly JobMessage[], inBacklog: boolean): JobCompleted[] {
    const found: JobCompleted[] = [];
    for (const job of jobs) {
      if (job.kind === 'JobAssigned') {
        this.#retracted.delete(jobKey(job));
        if (inBacklog) this.#assigned.add(jobKey(job));
      } else if (job.kind === 'JobCompleted') {
        const wasAssigned = this.#assigned.delete(jobKey(job));
        if (!inBacklog || !wasAssigned || !isUntakenAndCanceled(job)) continue;
        this.#retracted.add(jobKey(job));
        found.push(job);
      }
    }
    if (!inBacklog) this.#assigned.clear();
    return found;
  }
}

/** GitHub names no runner for a job that none had taken (measured). */
function isUntakenAndCanceled({ result, runnerName, runnerId }: JobCompleted): boolean {
  return result.toLowerCase() === 'canceled' && runnerName === '' && runnerId <= 0;
}
