/** What a span says; undefined is left out. Names come from `attributes.ts`. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** `client` asks something outside; `producer` and `consumer` send and handle messages. */
  kind?: 'internal' | 'client' | 'producer' | 'consumer';
  attributes?: SpanAttributes;
  /** W3C `traceparent` of its parent; null for the first span of a trace. Default: the active span. */
  parent?: string | null | undefined;
  /** `traceparent`s of spans that led to this one without being its parent. */
  links?: readonly (string | undefined)[];
  /** Wall clock, ms since 1970. Default: now. */
  startedAt?: number;
}

/** A piece of work that is under way. */
export interface Span {
  /** For messages and records that carry the trace on; undefined when no traces are made. */
  readonly traceparent: string | undefined;
  set(attributes: SpanAttributes): void;
  /** A moment worth telling apart. */
  event(name: string, attributes?: SpanAttributes): void;
  /** The work failed; traces of failures are kept whatever the sampling says. */
  fail(error: unknown): void;
  /** `at`: wall clock, ms since 1970. A span that never ends is never told. */
  end(at?: number): void;
}

/** A span that is told when it is over. */
export interface PastSpan extends SpanOptions {
  startedAt: number;
  /** Wall clock, ms since 1970. */
  endedAt: number;
  /** The `traceparent` that `mintSpan` gave it long ago, in another process perhaps. */
  as?: string | undefined;
  /** Why the work failed. */
  error?: unknown;
}

/** What makes spans. Behind it is OpenTelemetry, which is loaded only when traces are wanted. */
export interface SpanMaker {
  start(name: string, options: SpanOptions): Span;
  record(name: string, span: PastSpan): void;
  mint(parent?: string): string;
  /** Runs `work` with this span as the active one. */
  within<T>(span: Span, work: () => T): T;
  /** Runs `work` as part of a trace that came from elsewhere; null: of none. */
  withinTrace<T>(traceparent: string | null, work: () => T): T;
  /** `traceparent` of the active span. */
  readonly active: string | undefined;
}

const noSpan: Span = {
  traceparent: undefined,
  set: () => undefined,
  event: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

let maker: SpanMaker | undefined;

/** From now on spans are made; undefined: no more. For the start of a process, and tests. */
export function makeSpansWith(one: SpanMaker | undefined): void {
  maker = one;
}

/**
 * Runs `work` as a span: active while it runs, ended when it settles, failed when it throws. Costs
 * next to nothing when no traces are made. Throws what `work` throws.
 */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T> | T,
): Promise<T> {
  if (!maker) return await work(noSpan);
  const span = maker.start(name, options);
  try {
    return await maker.within(span, () => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** A span that its maker ends; one that is not ended is never told. Not active: see `withinSpan`. */
export function startSpan(name: string, options: SpanOptions = {}): Span {
  return maker ? maker.start(name, options) : noSpan;
}

/** Runs `work` with `span` active. */
export function withinSpan<T>(span: Span, work: () => T): T {
  return maker && span !== noSpan ? maker.within(span, work) : work();
}

/** Tells of a span that is over. */
export function recordSpan(name: string, span: PastSpan): void {
  maker?.record(name, span);
}

/**
 * The `traceparent` of a span that will be told later with `recordSpan`, perhaps by another process:
 * of the trace of `parent`, or of a new one. Without traces it is `parent`'s: those who make them
 * can still connect.
 */
export function mintSpan(parent?: string): string | undefined {
  return maker ? maker.mint(parent) : parent;
}

/**
 * Runs `work` as part of a trace that came in with a message or a record; undefined: of the active one. Null
 * is for what is begun here by accident, as the next in a queue: it has no part in the active one.
 */
export function inTrace<T>(traceparent: string | null | undefined, work: () => T): T {
  return maker && traceparent !== undefined ? maker.withinTrace(traceparent, work) : work();
}

/** The `traceparent` of the active span, for messages and records. */
export function activeTraceparent(): string | undefined {
  return maker?.active;
}

/** All zeros is no id. */
const format = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/;

/** The parts of a W3C `traceparent`; undefined for what is none. See w3.org/TR/trace-context. */
export function parseTraceparent(
  text: string | undefined,
): { traceId: string; spanId: string; sampled: boolean } | undefined {
  const [, traceId, spanId, flags] = format.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
