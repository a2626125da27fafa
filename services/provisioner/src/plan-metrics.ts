import type { Cause, Spec } from '@baton/shared/contracts';
import { gauge, Histogram, type MetricSource } from '@baton/shared/telemetry';

interface Planned {
  desired: number;
  min: number;
  max: number;
}

/** What is wanted of every scale set, as this process planned it last, and how long demands waited. */
export class PlanMetrics {
  readonly #planned = new Map<string, Planned>();
  readonly #toRequested = new Histogram({
    name: 'baton_demand_to_requested_seconds',
    help: 'From a demand at GitHub to the record of each runner that was named for it.',
  });

  get sources(): MetricSource[] {
    const of = (name: string, help: string, read: (planned: Planned) => number) =>
      gauge(name, help, () =>
        [...this.#planned].map(([scaleSetId, planned]) => ({
          value: read(planned),
          labels: { scale_set: scaleSetId },
        })),
      );
    return [
      of(
        'baton_desired_runners',
        'Runners that jobs and minRunners ask for, maxRunners at the most.',
        ({ desired }) => desired,
      ),
      of('baton_min_runners', 'minRunners of the scale set.', ({ min }) => min),
      of('baton_max_runners', 'maxRunners of the scale set.', ({ max }) => max),
      this.#toRequested,
    ];
  }

  planned({ scaleSetId, declaration }: Spec, desired: number): void {
    const { minRunners: min, maxRunners: max } = declaration;
    this.#planned.set(scaleSetId, { desired, min, max });
  }

  /** A runner was recorded; `at` in ISO 8601. */
  requested(cause: Cause | undefined, at: string): void {
    if (cause) this.#toRequested.recordMs({}, Date.parse(at) - Date.parse(cause.observedAt));
  }

  /** The scale set is not there any more. */
  forget(scaleSetId: string): void {
    this.#planned.delete(scaleSetId);
  }
}
