import { AppError, errorText } from '../errors/index.ts';
import { attributes as names } from './attributes.ts';
import {
  linkedContexts,
  newSpanId,
  plainContext,
  type SpanContext,
  toTraceparent,
} from './span-context.ts';
import type { Span, SpanAttributes, SpanOptions } from './spans.ts';

/** A moment of a span. */
interface SpanEvent {
  name: string;
  attributes: SpanAttributes;
  /** Wall clock, ms since 1970. */
  at: number;
}

/** What there is to tell of a span. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: NonNullable<SpanOptions['kind']>;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly links: readonly SpanContext[];
  /** Wall clock, ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: SpanAttributes;
  readonly events: readonly SpanEvent[];
  /** Why the work failed. */
  readonly failure: string | undefined;
}

/** What is known of a span when it starts. */
export interface SpanStart extends Omit<SpanOptions, 'parent'> {
  name: string;
  traceId: string;
  /** Where it has one already. */
  spanId?: string | undefined;
  sampled: boolean;
  /** Of the same trace; of another one, what led to it. */
  parent: SpanContext | undefined;
  startedAt: number;
}

interface SpanMeans {
  /** Wall clock, ms since 1970. */
  now: () => number;
  /** Given each span that is told, when it is over. */
  tell: (facts: SpanFacts) => void;
}

/** Of a span that waits for hours the last are kept, as many as OpenTelemetry keeps. */
const mostEvents = 128;
/** Longest text of a failure: it may quote what a program printed. */
const longestFailure = 1_000;

/**
 * A span while it lives: no more than what it will say. Only what is told when it is over is handed to
 * OpenTelemetry; one of a trace that is not sampled costs next to nothing, not even an id, unless it
 * fails or somebody asks for it; and one that begins before OpenTelemetry is loaded is none of a
 * different kind.
 */
export class OwnSpan implements Span, SpanContext {
  readonly #start: SpanStart;
  readonly #means: SpanMeans;
  #attributes: SpanAttributes;
  #events: SpanEvent[] | undefined;
  #failure: string | undefined;
  #ended = false;
  #spanId: string | undefined;
  #traceparent: string | undefined;

  constructor(start: SpanStart, means: SpanMeans) {
    this.#start = start;
    this.#means = means;
    this.#attributes = start.attributes ?? {};
    this.#spanId = start.spanId;
  }

  get traceId(): string {
    return this.#start.traceId;
  }

  get spanId(): string {
    this.#spanId ??= newSpanId();
    return this.#spanId;
  }

  get sampled(): boolean {
    return this.#start.sampled;
  }

  get traceparent(): string {
    this.#traceparent ??= toTraceparent(this);
    return this.#traceparent;
  }

  set(attributes: SpanAttributes): void {
    if (!this.#ended) this.#attributes = { ...this.#attributes, ...attributes };
  }

  event(name: string, attributes: SpanAttributes = {}, at = this.#means.now()): void {
    if (this.#ended) return;
    this.#events ??= [];
    if (this.#events.length >= mostEvents) this.#events.shift();
    this.#events.push({ name, attributes, at });
  }

  /** `at`: wall clock, ms since 1970. */
  fail(error: unknown, at?: number): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#failure = errorText(error).slice(0, longestFailure);
    this.set({ [names.errorType]: errorType(error) });
    // As in the log: a stack is for what nobody expects.
    const isExpected = error instanceof AppError && error.code !== 'unexpected';
    if (error instanceof Error && !isExpected) this.event('exception', exceptionOf(error), at);
  }

  end(at?: number): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.sampled || this.#failure !== undefined) {
      this.#means.tell(this.#facts(at ?? this.#means.now()));
    }
    // What was begun in it and goes on holds it, and would hold all that are above it.
    this.#start.parent = undefined;
  }

  #facts(endedAt: number): SpanFacts {
    const { name, kind = 'internal', parent, links, startedAt } = this.#start;
    // One that was minted in another trace than its parent's is led to by it, and is not its child.
    const isChild = parent?.traceId === this.traceId;
    return {
      name,
      kind,
      context: plainContext(this),
      parent: isChild ? plainContext(parent) : undefined,
      links: [...(parent && !isChild ? [plainContext(parent)] : []), ...linkedContexts(links)],
      startedAt,
      endedAt: Math.max(startedAt, endedAt),
      attributes: this.#attributes,
      events: this.#events ?? [],
      failure: this.#failure,
    };
  }
}

function errorType(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}

function exceptionOf(error: Error): SpanAttributes {
  return {
    'exception.type': error.name,
    'exception.message': error.message,
    'exception.stacktrace': error.stack,
  };
}
