import {
  type Context,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { IdGenerator, Sampler } from '@opentelemetry/sdk-trace';
import { fromOtel, toOtel } from './otel-context.ts';
import type { SpanFacts } from './own-span.ts';
import { decideSampling, type Sampling } from './sampling.ts';
import { newSpanId, newTraceId, type SpanContext } from './span-context.ts';

/** `RECORD` and `RECORD_AND_SAMPLED` of OpenTelemetry's sampling decision. */
const [record, recordAndSample] = [1, 2] as const;

const kinds = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/**
 * Makes spans of OpenTelemetry's of ours that are over, with the ids that they have had all along. Its
 * ids and decisions for spans that instrumentations make are of the same kind.
 */
export class SdkSpans {
  readonly ids: IdGenerator;
  readonly sampler: Sampler;
  /** That of the span which is being made; all of that happens in one turn. */
  #given: SpanContext | undefined;

  constructor(sampling: Sampling) {
    this.ids = {
      generateTraceId: () => this.#given?.traceId ?? newTraceId(),
      generateSpanId: () => this.#given?.spanId ?? newSpanId(),
    };
    this.sampler = {
      shouldSample: (context, traceId) => {
        // What is not sampled is recorded all the same: it may fail, and is told then.
        const sampled = this.#given || decideSampling(sampling, traceId, parentIn(context));
        return { decision: sampled ? recordAndSample : record };
      },
      toString: () => 'Baton',
    };
  }

  tell({ name, kind, context, parent, links, attributes, ...facts }: SpanFacts): void {
    const options = {
      kind: kinds[kind],
      attributes,
      links: links.map((link) => ({ context: toOtel(link) })),
      startTime: toHrTime(facts.startedAt),
    };
    const above = parent ? trace.setSpanContext(ROOT_CONTEXT, toOtel(parent)) : ROOT_CONTEXT;
    this.#given = context;
    const span = trace.getTracer('baton').startSpan(name, options, above);
    this.#given = undefined;
    for (const event of facts.events) {
      span.addEvent(event.name, event.attributes, toHrTime(event.at));
    }
    if (facts.failure !== undefined) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: facts.failure });
    }
    span.end(toHrTime(facts.endedAt));
  }
}

function parentIn(context: Context): SpanContext | undefined {
  return fromOtel(trace.getSpanContext(context));
}

/** A plain number could be taken for one of the monotonic clock. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
