import type { Runner } from '@baton/shared/contracts';
import { Counter, Histogram, type MetricSource } from '@baton/shared/telemetry';
import type { Step } from './core/next-step.ts';

/** What a janitor counts of the deletions that it carries out. */
export class DeleteMetrics {
  readonly #sinceEnd = new Histogram<'provider'>({
    name: 'baton_completed_to_deleted_seconds',
    help: "From a runner's end, its exit or the end of its job, to the deletion of its instance.",
  });
  readonly #seconds = new Histogram<'provider' | 'outcome'>({
    name: 'baton_delete_seconds',
    help: 'How long a provider took to delete an instance, or to fail.',
  });
  readonly #failures = new Counter<'provider' | 'step'>({
    name: 'baton_delete_failures_total',
    help: 'Steps of deletions that failed and are tried again.',
  });
  readonly #deleted = new Counter<'reason'>({
    name: 'baton_deleted_runners_total',
    help: 'Runners whose record was removed, by why they were marked.',
  });

  get sources(): MetricSource[] {
    return [this.#sinceEnd, this.#seconds, this.#failures, this.#deleted];
  }

  /** A provider was asked to delete an instance. */
  asked({ provider }: Runner, outcome: 'deleted' | 'failed', tookMs: number): void {
    this.#seconds.recordMs({ provider, outcome }, tookMs);
  }

  /** It stands in the record that there is no instance any more. Not told of one whose end nobody saw. */
  instanceGone(runner: Runner, goneAt: string): void {
    const endedMs = endOf(runner);
    if (endedMs === undefined) return;
    this.#sinceEnd.recordMs({ provider: runner.provider }, Date.parse(goneAt) - endedMs);
  }

  failed({ provider }: Runner, step: Step): void {
    this.#failures.add({ provider, step });
  }

  removed({ mark }: Runner): void {
    this.#deleted.add({ reason: mark?.reason ?? 'unknown' });
  }
}

/** Whichever was first; ms since 1970. */
function endOf({ exit, completedAt }: Runner): number | undefined {
  const ends = [exit?.at, completedAt].flatMap((at) => (at === undefined ? [] : Date.parse(at)));
  return ends.length === 0 ? undefined : Math.min(...ends);
}
