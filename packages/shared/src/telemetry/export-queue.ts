import { SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { errorText, TimeoutError } from '../errors/index.ts';
import { type Clock, notNeeded } from '../time/index.ts';
import type { Logger } from './logger.ts';
import type { Counter } from './metrics.ts';

/** What became of spans that were to be told. */
export type SpanOutcome = 'exported' | 'failed' | 'dropped';

export interface ExportOptions {
  exporter: SpanExporter;
  spans: Counter<'outcome'>;
  /** How many spans may wait. */
  size: number;
  /** Longest time that one export may take. */
  timeoutMs: number;
  clock: Clock;
  log: Logger;
  /** Where they go, for the log. */
  url: string;
}

type ExportDone = Parameters<SpanExporter['export']>[1];

/** The bound of what waits to be exported, the count of what becomes of it, and who is told of that. */
export class ExportQueue {
  readonly #options: ExportOptions;
  #waiting = 0;
  #failing = false;

  constructor(options: ExportOptions) {
    this.#options = options;
  }

  /** For the batches. */
  get exporter(): SpanExporter {
    const { exporter } = this.#options;
    return {
      export: (spans, done) => this.#export(spans, done),
      shutdown: async () => await exporter.shutdown(),
      forceFlush: async () => await exporter.forceFlush?.(),
    };
  }

  /** Lets through to `batches` what is sampled or has failed, as long as there is room. */
  before(batches: SpanProcessor): SpanProcessor {
    return {
      onStart: () => undefined,
      onEnd: (span) => {
        if (!isTold(span)) return;
        if (this.#waiting >= this.#options.size) return this.#options.spans.add(dropped);
        this.#waiting += 1;
        batches.onEnd(span);
      },
      forceFlush: async () => await batches.forceFlush(),
      shutdown: async () => await batches.shutdown(),
    };
  }

  #export(spans: ReadableSpan[], done: ExportDone): void {
    const { exporter, clock, timeoutMs } = this.#options;
    this.#waiting -= spans.length;
    const over = new AbortController();
    const settle: ExportDone = (result) => {
      if (over.signal.aborted) return;
      over.abort(notNeeded);
      this.#count(spans.length, result);
      done(result);
    };
    // The exporter's own time begins anew with each byte of an answer.
    void clock.sleep(timeoutMs, over.signal).then(
      () => settle({ code: 1, error: new TimeoutError(`took longer than ${timeoutMs} ms`) }),
      () => undefined,
    );
    exporter.export(spans, settle);
  }

  #count(count: number, { code, error }: Parameters<ExportDone>[0]): void {
    const { spans, log, url } = this.#options;
    const failed = code !== 0;
    spans.add(failed ? { outcome: 'failed' } : { outcome: 'exported' }, count);
    if (failed === this.#failing) return;
    this.#failing = failed;
    const reason = errorText(error);
    if (failed) log.warn({ url, reason }, 'spans are not taken, and lost meanwhile');
    else log.info({ url }, 'spans are taken again');
  }
}

const dropped = { outcome: 'dropped' };

/** Whether it is sampled, or has failed; a failed one gets the flag that batches look at. */
function isTold(span: ReadableSpan): boolean {
  const context = span.spanContext();
  if ((context.traceFlags & TraceFlags.SAMPLED) !== 0) return true;
  if (span.status.code !== SpanStatusCode.ERROR) return false;
  // It is over, and nobody else goes by that any more.
  context.traceFlags |= TraceFlags.SAMPLED;
  return true;
}
