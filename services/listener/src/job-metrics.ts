import type { JobMessage } from '@baton/scaleset';
import { Counter, Histogram, type MetricSource } from '@baton/shared/telemetry';

/** Words of GitHub's for how a job ended; others count as `other`, so that there are few. */
const results: ReadonlySet<string> = new Set([
  'succeeded',
  'succeededwithissues',
  'failed',
  'canceled',
  'skipped',
  'abandoned',
]);

/** What GitHub's messages say of jobs; each message counts once. */
export class JobMetrics {
  readonly #jobs = new Counter<'scale_set' | 'what'>({
    name: 'baton_jobs_total',
    help: 'Jobs that GitHub said were assigned, started or completed; of those that completed, with what result.',
  });
  readonly #queue = new Histogram<'scale_set'>({
    name: 'baton_job_queue_seconds',
    help: 'How long jobs waited from when they were queued at GitHub until a runner took them, by its clock.',
  });
  /** Of all scale sets together: a histogram of each is twenty lines of every scrape. */
  readonly #startup = new Histogram({
    name: 'baton_job_startup_seconds',
    help: 'How long jobs waited from when GitHub gave them to a scale set until a runner took them, by its clock.',
  });

  get sources(): MetricSource[] {
    return [this.#jobs, this.#queue, this.#startup];
  }

  /** The scale set is not there any more. */
  forget(scaleSetId: string): void {
    for (const one of [this.#jobs, this.#queue]) one.forget('scale_set', scaleSetId);
  }

  /** Counts what a message says; `now` stands in for a start whose time GitHub does not say, in ms. */
  count(scaleSetId: string, jobs: readonly JobMessage[], now: number): void {
    for (const job of jobs) this.#count(scaleSetId, job, now);
  }

  #count(scale_set: string, job: JobMessage, now: number): void {
    if (job.kind === 'JobAssigned') this.#jobs.add({ scale_set, what: 'assigned' });
    if (job.kind === 'JobStarted') {
      this.#jobs.add({ scale_set, what: 'started' });
      const { queueTime, scaleSetAssignTime, runnerAssignTime } = job;
      const startedAt = runnerAssignTime === undefined ? now : Date.parse(runnerAssignTime);
      this.#queue.recordMs({ scale_set }, startedAt - timeOf(queueTime));
      this.#startup.recordMs({}, startedAt - timeOf(scaleSetAssignTime));
    }
    if (job.kind === 'JobCompleted') {
      const word = job.result.toLowerCase();
      const result = results.has(word) ? word : 'other';
      const completed = { scale_set, what: 'completed', result };
      this.#jobs.add(completed);
    }
  }
}

/** NaN, which is not recorded, for what GitHub did not say. */
function timeOf(text: string | undefined): number {
  return Date.parse(text ?? '');
}
