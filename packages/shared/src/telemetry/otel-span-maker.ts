import { context } from '@opentelemetry/api';
import { activeSpan, contextManager, withActive } from './otel-context.ts';
import { OwnSpan, type SpanFacts, type SpanStart } from './own-span.ts';
import { decideSampling, type Sampling } from './sampling.ts';
import { newSpanId, newTraceId, type SpanContext, toTraceparent } from './span-context.ts';
import {
  type PastSpan,
  parseTraceparent,
  type Span,
  type SpanMaker,
  type SpanOptions,
} from './spans.ts';

interface MakerOptions {
  sampling: Sampling;
  /** Wall clock, ms since 1970. */
  now: () => number;
  /** Given each span that is told, when it is over. */
  tell: (facts: SpanFacts) => void;
}

/** Spans of ours; the active one is also that of OpenTelemetry's context, which its instrumentations see. */
export class OtelSpanMaker implements SpanMaker {
  readonly #options: MakerOptions;

  constructor(options: MakerOptions) {
    this.#options = options;
    context.setGlobalContextManager(contextManager);
  }

  start(name: string, options: SpanOptions): OwnSpan {
    const parent = parentOf(options);
    return this.#make(name, { ...options, parent, ...this.#traceOf(parent) });
  }

  record(name: string, { as, endedAt, error, ...options }: PastSpan): void {
    const parent = parentOf(options);
    const span = this.#make(name, {
      ...options,
      parent,
      ...(parseTraceparent(as) ?? this.#traceOf(parent)),
    });
    if (error !== undefined) span.fail(error, endedAt);
    span.end(endedAt);
  }

  mint(parent?: string): string {
    return toTraceparent({ ...this.#traceOf(parseTraceparent(parent)), spanId: newSpanId() });
  }

  within<T>(span: Span, work: () => T): T {
    const own = span instanceof OwnSpan ? span : parseTraceparent(span.traceparent);
    return own ? withActive(own, work) : work();
  }

  withinTrace<T>(traceparent: string | null, work: () => T): T {
    if (traceparent === null) return withActive(undefined, work);
    const outer = parseTraceparent(traceparent);
    return outer ? withActive(outer, work) : work();
  }

  get active(): string | undefined {
    const active = activeSpan();
    if (!active) return undefined;
    return active instanceof OwnSpan ? active.traceparent : toTraceparent(active);
  }

  #traceOf(parent: SpanContext | undefined): Pick<SpanContext, 'traceId' | 'sampled'> {
    const traceId = parent?.traceId ?? newTraceId();
    return { traceId, sampled: decideSampling(this.#options.sampling, traceId, parent) };
  }

  #make(
    name: string,
    start: Omit<SpanStart, 'name' | 'startedAt'> & { startedAt?: number },
  ): OwnSpan {
    const { startedAt = this.#options.now() } = start;
    return new OwnSpan({ ...start, name, startedAt }, this.#options);
  }
}

/** Undefined for the first span of a trace. */
function parentOf({ parent }: SpanOptions): SpanContext | undefined {
  if (parent === null) return undefined;
  return parent === undefined ? activeSpan() : parseTraceparent(parent);
}
