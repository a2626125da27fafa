import { randomFillSync } from 'node:crypto';
import { parseTraceparent } from './spans.ts';

/** Which span it is, and whether its trace is told. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Without what else it is. */
export function plainContext({ traceId, spanId, sampled }: SpanContext): SpanContext {
  return { traceId, spanId, sampled };
}

export function newTraceId(): string {
  return newId(16);
}

export function newSpanId(): string {
  return newId(8);
}

/** Random bytes are drawn for many ids at once: each draw costs more than the span that it is for. */
const drawn = Buffer.alloc(4_096);
let used = drawn.length;

function newId(bytes: number): string {
  if (used + bytes > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const id = drawn.toString('hex', used, used + bytes);
  used += bytes;
  // All zeros is no id.
  return /[^0]/.test(id) ? id : newId(bytes);
}

/** Written as W3C `traceparent`. */
export function toTraceparent({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The contexts of those that are `traceparent`s. */
export function linkedContexts(links: readonly (string | undefined)[] = []): SpanContext[] {
  return links.flatMap((link) => parseTraceparent(link) ?? []);
}
