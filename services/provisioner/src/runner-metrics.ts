import type { RunnerChange } from '@baton/shared/runners';
import { Counter, Histogram, type MetricSource } from '@baton/shared/telemetry';
import type { End } from './core/plan-input.ts';

/** What became of a create that was begun. */
export type CreateEnd = 'created' | 'postponed' | 'failed';

/** Where a runner is made. */
interface Maker {
  scaleSetId: string;
  provider: string;
}

/** Jobs take longer than what leads to them, in seconds. */
const jobBounds = [1, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600];

/** How long runners take for each part of their way, and how creates end. Each is counted once, by one process. */
export class RunnerMetrics {
  readonly #toCreated = new Histogram<'provider'>({
    name: 'baton_requested_to_created_seconds',
    help: 'From the record of a runner to its instance.',
  });
  readonly #toOnline = new Histogram<'provider'>({
    name: 'baton_created_to_online_seconds',
    help: 'From the instance of a runner to the runner online.',
  });
  readonly #toJob = new Histogram<'provider'>({
    name: 'baton_online_to_job_seconds',
    help: 'From a runner online to its job; 0 where the job was the first that was heard of it.',
  });
  readonly #jobs = new Histogram<'scale_set'>({
    name: 'baton_job_seconds',
    help: 'From the start of a job to its end.',
    bounds: jobBounds,
  });
  readonly #creates = new Histogram<'provider' | 'outcome'>({
    name: 'baton_create_seconds',
    help: 'Time that a create took here, by how it ended: created, postponed or failed.',
  });
  readonly #failures = new Counter<'scale_set' | 'provider' | 'class'>({
    name: 'baton_create_failures_total',
    help: 'Creates that were put off, and runners that failed before they did any work.',
  });

  get sources(): MetricSource[] {
    const along = [this.#toCreated, this.#toOnline, this.#toJob, this.#jobs];
    return [...along, this.#creates, this.#failures];
  }

  /** A runner's record was written. */
  readonly changed = ({ before, after, phases }: RunnerChange): void => {
    const { provider, scaleSetId, createdAt, instanceAt } = after;
    if (instanceAt !== undefined && before.instanceAt === undefined) {
      this.#toCreated.recordMs({ provider }, Date.parse(instanceAt) - Date.parse(createdAt));
    }
    const lasted = new Map(phases.map((one) => [one.name, one.endedAt - one.startedAt]));
    const [bootMs, jobMs] = [lasted.get('boot'), lasted.get('job')];
    if (bootMs !== undefined && instanceAt !== undefined) {
      this.#toOnline.recordMs({ provider }, bootMs);
    }
    if (after.job && !before.job) this.#toJob.recordMs({ provider }, lasted.get('idle') ?? 0);
    if (jobMs !== undefined) this.#jobs.recordMs({ scale_set: scaleSetId }, jobMs);
  };

  /** A create that was begun here has ended. */
  createEnded({ provider }: Pick<Maker, 'provider'>, outcome: CreateEnd, ms: number): void {
    this.#creates.recordMs({ provider, outcome }, ms);
  }

  /** A create was put off or given up for a reason of this class. */
  createFailed({ scaleSetId, provider }: Maker, failureClass: string): void {
    this.#failures.add({ scale_set: scaleSetId, provider, class: failureClass });
  }

  /** A plan was written that gives these places up: whoever failed, however late, is counted here. */
  endsCounted(maker: Maker, ends: readonly End[]): void {
    for (const end of ends) if (end.kind !== 'unused') this.createFailed(maker, end.class);
  }

  /** The scale set is not there any more. */
  forget(scaleSetId: string): void {
    this.#jobs.forget('scale_set', scaleSetId);
    this.#failures.forget('scale_set', scaleSetId);
  }
}
