import { randomUUID } from 'node:crypto';
import type { Clock } from '@baton/shared/time';
import type { JobFlow } from './job-flow.ts';
import { type JobQueues, queueKeyOf } from './job-queues.ts';
import type { Job, JobStatus } from './model.ts';

/** Above 2^53, so that ids read as doubles collide. */
const firstRequestId = 9_007_199_254_740_993n;
const firstRunId = 9_107_199_254_740_993n;

export interface JobSpec {
  count: number;
  durationMs: number;
  /** The set by name; otherwise any set with all the labels. */
  scaleSet?: string | undefined;
  labels?: readonly string[] | undefined;
  /** `owner/name`. */
  repository: string;
  result: string;
  crashExitCode?: number | undefined;
  lingerMs: number;
}

/** Every job that was ever queued. */
export class JobBoard {
  readonly #clock: Clock;
  readonly #queues: JobQueues;
  readonly #flow: JobFlow;
  readonly #jobs = new Map<string, Job>();

  constructor(clock: Clock, queues: JobQueues, flow: JobFlow) {
    this.#clock = clock;
    this.#queues = queues;
    this.#flow = flow;
  }

  all(): Job[] {
    return [...this.#jobs.values()];
  }

  add(spec: JobSpec): Job[] {
    const jobs = Array.from({ length: spec.count }, () => this.#create(spec));
    const takers = new Set(jobs.flatMap((job) => [...this.#queues.add(job)]));
    for (const set of takers) this.#flow.fill(set);
    return jobs;
  }

  /** Whether there was something to cancel. A running job ends when its runner has stopped it. */
  cancel(id: string): boolean {
    const job = this.#jobs.get(id);
    if (!job) return false;
    switch (job.status) {
      case 'queued':
      case 'available':
      case 'assigned':
        this.#queues.remove(job);
        this.#flow.finish(job, { status: 'canceled', result: 'canceled', canceledBy: 'user' });
        return true;
      case 'running':
        job.cancelRequested = true;
        if (job.runner?.held?.kind === 'watch') job.runner.held.hold.end({ kind: 'cancel' });
        return true;
      default:
        return false;
    }
  }

  /** Whether it was running: the service says that it is over, while its runner goes on with it. */
  announceCompletion(id: string): boolean {
    const job = this.#jobs.get(id);
    return job !== undefined && this.#flow.announceCompletion(job);
  }

  counts(): Record<JobStatus | 'total', number> {
    const counts = {
      queued: 0,
      available: 0,
      assigned: 0,
      running: 0,
      completed: 0,
      failed: 0,
      canceled: 0,
      total: this.#jobs.size,
    };
    for (const job of this.#jobs.values()) counts[job.status] += 1;
    return counts;
  }

  /** Jobs neither completed nor cancelled by a user; while work is going on, those in it too. */
  lostCount(): number {
    let lost = 0;
    for (const { status, canceledBy } of this.#jobs.values()) {
      if (status !== 'completed' && canceledBy !== 'user') lost += 1;
    }
    return lost;
  }

  #create(spec: JobSpec): Job {
    const [owner = 'acme', repository = 'app'] = spec.repository.split('/');
    const labels = spec.labels ?? (spec.scaleSet === undefined ? [] : [spec.scaleSet]);
    const job: Job = {
      id: randomUUID(),
      requestId: firstRequestId + BigInt(this.#jobs.size),
      runId: firstRunId + BigInt(this.#jobs.size),
      queueKey: queueKeyOf({ scaleSet: spec.scaleSet, labels }),
      labels,
      owner,
      repository,
      durationMs: spec.durationMs,
      result: spec.result,
      crashExitCode: spec.crashExitCode,
      lingerMs: spec.lingerMs,
      status: 'queued',
      canceledBy: undefined,
      cancelRequested: false,
      announced: false,
      set: undefined,
      runner: undefined,
      assignments: 0,
      queuedAt: this.#clock.now(),
      assignedAt: undefined,
      startedAt: undefined,
      completedAt: undefined,
      outcome: undefined,
    };
    this.#jobs.set(job.id, job);
    return job;
  }
}
