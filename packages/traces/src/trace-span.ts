/** A span as it was told: what Baton's reader of traces needs of it. */
export interface TraceSpan {
  traceId: string;
  spanId: string;
  /** Undefined for the first span of a trace. */
  parentId: string | undefined;
  name: string;
  /** Wall clock, ms since 1970 with fractions. */
  startMs: number;
  endMs: number;
  /** `service.name` of the process that told it. */
  service: string;
  /** Its `service.instance.id`; as `service` where it has none. */
  instance: string;
  attributes: Readonly<Record<string, string | number | boolean>>;
  links: readonly SpanPlace[];
  /** Why the work failed; undefined when it did not. */
  error: string | undefined;
}

/** What a span is found by. */
export interface SpanPlace {
  traceId: string;
  spanId: string;
}

/** The same for every telling of a span: a process that dies after telling may have told it twice. */
export function placeKey({ traceId, spanId }: SpanPlace): string {
  return `${traceId}-${spanId}`;
}

/** In ms. Clocks of two hosts may make it less than nothing. */
export function lengthOf({ startMs, endMs }: { startMs: number; endMs: number }): number {
  return Math.max(0, endMs - startMs);
}
