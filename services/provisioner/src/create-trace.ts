import type { Runner } from '@baton/shared/contracts';
import { runnerAttributes } from '@baton/shared/runners';
import { attributes, type Span, startSpan, withinSpan } from '@baton/shared/telemetry';
import { isoNow } from '@baton/shared/time';
import type { CreateFailure } from './core/create-failure.ts';
import type { CreateDeps } from './create-deps.ts';
import type { CreateEnd } from './runner-metrics.ts';

type TraceDeps = Pick<CreateDeps, 'clock' | 'log' | 'runnerMetrics'>;

/**
 * What is told of a create that is begun here: its span and how long it took. The span's context stands in the
 * record from the claim on. When this process ends before the create does, who adopts the instance tells
 * of it, or the janitor when the runner is gone: so what was done by then has its parent.
 */
export class CreateTrace {
  readonly #deps: TraceDeps;
  readonly #runner: Runner;
  readonly #span: Span;
  readonly #startedMs: number;
  /** For the record: undefined when no traces are made. */
  readonly claim: { span?: { traceparent: string; at: string } };

  constructor(deps: TraceDeps, requested: Runner) {
    this.#deps = deps;
    this.#runner = requested;
    this.#startedMs = deps.clock.monotonic();
    this.#span = startCreate(requested);
    const { traceparent } = this.#span;
    this.claim = traceparent === undefined ? {} : { span: { traceparent, at: isoNow(deps.clock) } };
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    return await withinSpan(this.#span, work);
  }

  created(instanceId: string): void {
    const { runnerId } = this.#runner;
    this.#span.set({ [attributes.instance]: instanceId });
    const durationMs = this.#end('created');
    this.#deps.log.info({ runnerId, instanceId, durationMs }, 'runner created');
  }

  /** Its instance was there already. */
  adopted(): 'nothing' {
    this.#span.event('adopted');
    this.#end('created');
    return 'nothing';
  }

  postponed({ class: failureClass, text }: CreateFailure, retryAt: string): void {
    this.#span.event('postponed', { class: failureClass, reason: text, retryAt });
    this.#deps.runnerMetrics.createFailed(this.#runner, failureClass);
    this.#end('postponed');
  }

  failed({ class: failureClass }: CreateFailure, error: unknown): void {
    this.#span.fail(error);
    this.#span.set({ [attributes.failureClass]: failureClass });
    this.#end('failed');
  }

  #end(outcome: CreateEnd): number {
    const ms = this.#deps.clock.monotonic() - this.#startedMs;
    this.#span.end();
    this.#deps.runnerMetrics.createEnded(this.#runner, outcome, ms);
    return Math.round(ms);
  }
}

/** A create was put off before anybody had claimed it. */
export function tellPutOff(runner: Runner, event: { reason: string; retryAt: string }): void {
  const span = startCreate(runner);
  span.event('postponed', event);
  span.end();
}

function startCreate(runner: Runner): Span {
  const attempt = { [attributes.attempt]: (runner.postponed?.count ?? 0) + 1 };
  return startSpan('create runner', {
    parent: runner.traceparent ?? null,
    attributes: { ...runnerAttributes(runner), ...attempt },
  });
}
