import { type Context, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { contextManager, fromOtel, toOtel } from './otel-context.ts';
import { OwnSpan, type SpanFacts } from './own-span.ts';
import { decideSampling, type Sampling } from './sampling.ts';
import {
  linkedContexts,
  newSpanId,
  newTraceId,
  type SpanContext,
  toTraceparent,
} from './span-context.ts';
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

/** Spans whose active one is that of OpenTelemetry's context, which its instrumentations see. */
export class OtelSpanMaker implements SpanMaker {
  readonly #options: MakerOptions;

  constructor(options: MakerOptions) {
    this.#options = options;
    context.setGlobalContextManager(contextManager);
  }

  start(name: string, options: SpanOptions): Span {
    return this.#make(name, options, this.#childOf(parentOf(options)));
  }

  record(name: string, { as, endedAt, error, ...options }: PastSpan): void {
    const minted = parseTraceparent(as);
    const span = this.#make(name, options, minted ?? this.#childOf(parentOf(options)));
    if (error !== undefined) span.fail(error, endedAt);
    span.end(endedAt);
  }

  mint(parent?: string): string {
    return toTraceparent(this.#childOf(parseTraceparent(parent)));
  }

  within<T>(span: Span, work: () => T): T {
    const own = span instanceof OwnSpan ? span.facts.context : parseTraceparent(span.traceparent);
    return own ? context.with(activate(own), work) : work();
  }

  withinTrace<T>(traceparent: string | null, work: () => T): T {
    if (traceparent === null) return context.with(ROOT_CONTEXT, work);
    const outer = parseTraceparent(traceparent);
    return outer ? context.with(activate(outer), work) : work();
  }

  get active(): string | undefined {
    const active = activeSpan();
    return active && toTraceparent(active);
  }

  #childOf(parent: SpanContext | undefined): SpanContext {
    const traceId = parent?.traceId ?? newTraceId();
    const sampled = decideSampling(this.#options.sampling, traceId, parent);
    return { traceId, spanId: newSpanId(), sampled };
  }

  #make(name: string, options: SpanOptions, own: SpanContext): OwnSpan {
    const { now, tell } = this.#options;
    const { kind = 'internal', attributes = {}, links } = options;
    const parent = parentOf(options);
    const startedAt = options.startedAt ?? now();
    // One that was minted in another trace than its parent's is led to by it, and is not its child.
    const isChild = parent?.traceId === own.traceId;
    const facts = {
      name,
      kind,
      context: own,
      parent: isChild ? parent : undefined,
      links: [...(parent && !isChild ? [parent] : []), ...linkedContexts(links)],
      attributes,
      events: [],
      startedAt,
      endedAt: startedAt,
      failure: undefined,
    };
    return new OwnSpan(facts, now, (over) => {
      if (over.context.sampled || over.failure !== undefined) tell(over);
    });
  }
}

/** Undefined for the first span of a trace. */
function parentOf({ parent }: SpanOptions): SpanContext | undefined {
  if (parent === null) return undefined;
  return parent === undefined ? activeSpan() : parseTraceparent(parent);
}

function activeSpan(): SpanContext | undefined {
  return fromOtel(trace.getSpanContext(context.active()));
}

function activate(span: SpanContext): Context {
  return trace.setSpanContext(context.active(), toOtel(span));
}
