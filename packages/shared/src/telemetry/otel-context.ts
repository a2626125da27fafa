import { type SpanContext as OtelSpanContext, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { SpanContext } from './span-context.ts';

/** Where the active span is kept, from the first to the last. */
export const contextManager = new AsyncLocalStorageContextManager().enable();

export function toOtel({ traceId, spanId, sampled }: SpanContext): OtelSpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

export function fromOtel(context: OtelSpanContext | undefined): SpanContext | undefined {
  if (!context) return undefined;
  const { traceId, spanId, traceFlags } = context;
  return { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
}
