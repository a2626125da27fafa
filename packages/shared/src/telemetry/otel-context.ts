import { AsyncLocalStorage } from 'node:async_hooks';
import {
  context,
  type SpanContext as OtelSpanContext,
  ROOT_CONTEXT,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { SpanContext } from './span-context.ts';

/** Where OpenTelemetry's instrumentations look for the active span. */
export const contextManager = new AsyncLocalStorageContextManager().enable();

const active = new AsyncLocalStorage<SpanContext | undefined>();

export function activeSpan(): SpanContext | undefined {
  return active.getStore();
}

/** Runs `work` with this span active; OpenTelemetry sees it only where its trace is told. */
export function withActive<T>(span: SpanContext | undefined, work: () => T): T {
  const seen = span?.sampled ? trace.setSpanContext(ROOT_CONTEXT, toOtel(span)) : ROOT_CONTEXT;
  const run = () => active.run(span, work);
  return seen === context.active() ? run() : context.with(seen, run);
}

export function toOtel({ traceId, spanId, sampled }: SpanContext): OtelSpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

export function fromOtel(context: OtelSpanContext | undefined): SpanContext | undefined {
  if (!context) return undefined;
  const { traceId, spanId, traceFlags } = context;
  return { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
}
