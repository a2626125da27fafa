import { context, DiagLogLevel, diag, trace } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Clock } from '../time/index.ts';
import { type ExportOptions, ExportQueue } from './export-queue.ts';
import type { Logger } from './logger.ts';
import { contextManager } from './otel-context.ts';
import type { SpanFacts } from './own-span.ts';
import { SdkSpans } from './sdk-spans.ts';
import type { TracesSettings } from './traces-settings.ts';

export interface SdkOptions {
  settings: TracesSettings;
  resource: Record<string, string | number>;
  spans: ExportOptions['spans'];
  clock: Clock;
  log: Logger;
}

/** OpenTelemetry at work. */
export interface Sdk {
  tell(facts: SpanFacts): void;
  /** Exports what waits and stops. Resolves with the last export, which takes as long as it may take. */
  shutdown(): Promise<void>;
}

/** Between two parts of OpenTelemetry that are loaded, so that work has its turn, in ms. */
const pauseMs = 5;

/** Its parts, none of which takes more than 70 ms; all at once it would be 300. */
const parts = [
  () => import('@opentelemetry/sdk-trace'),
  () => import('@opentelemetry/exporter-trace-otlp-proto'),
  () => import('@opentelemetry/exporter-trace-otlp-grpc'),
  () => import('@opentelemetry/exporter-prometheus'),
];

/** Loads OpenTelemetry's SDK and starts it. */
export async function startSdk(options: SdkOptions): Promise<Sdk> {
  const { settings, resource, spans, clock, log } = options;
  for (const load of parts) {
    await load();
    await clock.sleep(pauseMs);
  }
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const { BatchSpanProcessor, ConsoleSpanExporter } = await import('@opentelemetry/sdk-trace');
  const { makeExporter } = await import('./make-exporter.ts');
  const { undiciSpans } = await import('./undici-spans.ts');
  const exporter: SpanExporter = settings.target
    ? await makeExporter(settings.target)
    : new ConsoleSpanExporter();
  const { queueSize, batchSize, delayMs, exportTimeoutMs } = settings;
  const url = shownUrl(settings);
  const limits = { size: queueSize, timeoutMs: exportTimeoutMs };
  const queue = new ExportQueue({ exporter, spans, ...limits, clock, log, url });
  const batches = new BatchSpanProcessor({
    exporter: queue.exporter,
    maxQueueSize: queueSize,
    maxExportBatchSize: batchSize,
    scheduledDelayMillis: delayMs,
    exportTimeoutMillis: exportTimeoutMs,
  });
  const undici = undiciSpans();
  const sdkSpans = new SdkSpans(settings.sampling);
  const sdk = new NodeSDK({
    idGenerator: sdkSpans.ids,
    sampler: sdkSpans.sampler,
    spanProcessors: [queue.before(batches)],
    resourceDetectors: [{ detect: () => ({ attributes: resource }) }],
    contextManager,
    textMapPropagator: null,
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [undici],
  });
  // It would say that the context manager is registered already, and by OTEL_LOG_LEVEL to the console.
  diag.disable();
  sdk.start();
  logDiagnostics(log);
  return {
    tell: (facts) => sdkSpans.tell(facts),
    shutdown: async () => {
      undici.disable();
      for (const api of [trace, context, diag]) api.disable();
      // What was not taken is counted and told of already.
      await sdk.shutdown().catch((err: unknown) => log.debug({ err }, 'last export failed'));
    },
  };
}

/** Without what may be secret in it. */
function shownUrl({ target }: TracesSettings): string {
  if (!target) return 'stdout';
  const { origin, pathname } = new URL(target.url);
  return `${origin}${pathname}`;
}

/** What OpenTelemetry says of itself is for debugging; what matters is told by `ExportQueue`. */
function logDiagnostics(log: Logger): void {
  const say = (text: string) => log.debug({ text }, 'opentelemetry says');
  const logger = { error: say, warn: say, info: say, debug: say, verbose: say };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
