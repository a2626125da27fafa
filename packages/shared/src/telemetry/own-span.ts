import { AppError, errorText } from '../errors/index.ts';
import { attributes as names } from './attributes.ts';
import { type SpanContext, toTraceparent } from './span-context.ts';
import type { Span, SpanAttributes, SpanOptions } from './spans.ts';

/** A moment of a span. */
interface SpanEvent {
  name: string;
  attributes: SpanAttributes;
  /** Wall clock, ms since 1970. */
  at: number;
}

/** What there is to tell of a span; complete when it has ended. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: NonNullable<SpanOptions['kind']>;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly links: readonly SpanContext[];
  /** Wall clock, ms since 1970. */
  readonly startedAt: number;
  endedAt: number;
  attributes: SpanAttributes;
  readonly events: SpanEvent[];
  /** Why the work failed. */
  failure: string | undefined;
}

/** Of a span that waits for hours the last are kept, as many as OpenTelemetry keeps. */
const mostEvents = 128;
/** Longest text of a failure: it may quote what a program printed. */
const longestFailure = 1_000;

/**
 * A span while it lives: no more than what it will say. Only what is told when it is over is handed to
 * OpenTelemetry, so that a span of a trace that is not sampled costs next to nothing, and one that
 * begins before OpenTelemetry is loaded is none of a different kind.
 */
export class OwnSpan implements Span {
  readonly facts: SpanFacts;
  readonly #now: () => number;
  readonly #tell: (facts: SpanFacts) => void;
  #ended = false;
  #traceparent: string | undefined;

  constructor(facts: SpanFacts, now: () => number, tell: (facts: SpanFacts) => void) {
    this.facts = facts;
    this.#now = now;
    this.#tell = tell;
  }

  get traceparent(): string {
    this.#traceparent ??= toTraceparent(this.facts.context);
    return this.#traceparent;
  }

  set(attributes: SpanAttributes): void {
    if (!this.#ended) this.facts.attributes = { ...this.facts.attributes, ...attributes };
  }

  event(name: string, attributes: SpanAttributes = {}, at = this.#now()): void {
    if (this.#ended) return;
    const { events } = this.facts;
    if (events.length >= mostEvents) events.shift();
    events.push({ name, attributes, at });
  }

  /** `at`: wall clock, ms since 1970. */
  fail(error: unknown, at?: number): void {
    if (this.#ended || this.facts.failure !== undefined) return;
    this.facts.failure = errorText(error).slice(0, longestFailure);
    this.set({ [names.errorType]: errorType(error) });
    // As in the log: a stack is for what nobody expects.
    const isExpected = error instanceof AppError && error.code !== 'unexpected';
    if (error instanceof Error && !isExpected) this.event('exception', exceptionOf(error), at);
  }

  end(at?: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.facts.endedAt = Math.max(this.facts.startedAt, at ?? this.#now());
    this.#tell(this.facts);
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
