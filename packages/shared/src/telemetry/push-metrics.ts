import type { Resource } from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { errorText } from '../errors/index.ts';
import type { Logger } from './logger.ts';
import { metricProducer } from './metric-producer.ts';
import { Counter, type Metrics } from './metrics.ts';

export type OtlpProtocol = 'http/protobuf' | 'http/json' | 'grpc';

export interface PushOptions {
  protocol: OtlpProtocol;
  /** Where to, instead of what the standard variables say (`OTEL_EXPORTER_OTLP_…`). */
  url?: string;
  intervalMs: number;
  /** Longest time that one push may take, in ms. */
  timeoutMs: number;
  /** What the process says of itself. */
  resource: Resource;
  log: Logger;
}

export interface MetricPush {
  /** Pushes once more and ends, within this time. Never rejects. */
  stop(withinMs: number): Promise<void>;
}

/**
 * Pushes the metrics of a process by OTLP, again and again. One push at a time, of the values of that moment:
 * a collector that is slow or away costs a push, and no memory. What became of pushes is counted, and
 * logged when it changes. Loads the SDK and the exporter of the protocol: call it when the service is ready.
 */
export async function pushMetrics(metrics: Metrics, options: PushOptions): Promise<MetricPush> {
  const { intervalMs, timeoutMs, resource, log } = options;
  const pushes = new Counter<'outcome'>({
    name: 'baton_metric_exports_total',
    help: 'Pushes of all metrics by OTLP, by what became of them.',
  });
  metrics.add(pushes);
  const reader = new PeriodicExportingMetricReader({
    exporter: watched(await loadExporter(options), pushes, log),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
    metricProducers: [metricProducer(metrics, { form: 'push' })],
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return {
    stop: async (withinMs) => {
      await provider
        .shutdown({ timeoutMillis: withinMs })
        .catch((error: unknown) => log.debug({ reason: errorText(error) }, 'last push was cut'));
    },
  };
}

async function loadExporter({ protocol, url }: PushOptions): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } = await loadOtlp(protocol);
  return new OTLPMetricExporter(url === undefined ? {} : { url });
}

async function loadOtlp(protocol: OtlpProtocol) {
  switch (protocol) {
    case 'http/protobuf':
      return await import('@opentelemetry/exporter-metrics-otlp-proto');
    case 'http/json':
      return await import('@opentelemetry/exporter-metrics-otlp-http');
    case 'grpc':
      return await import('@opentelemetry/exporter-metrics-otlp-grpc');
  }
}

/** The exporter, with what becomes of its work counted. Tells once that it fails, and once that it works again. */
function watched(
  exporter: PushMetricExporter,
  pushes: Counter<'outcome'>,
  log: Logger,
): PushMetricExporter {
  let fails = false;
  const told = (error: Error | undefined) => {
    pushes.add({ outcome: error ? 'failed' : 'exported' });
    if (error && !fails) log.warn({ reason: errorText(error) }, 'metrics cannot be pushed');
    if (!error && fails) log.info('metrics are pushed again');
    fails = error !== undefined;
  };
  return {
    export: (metrics, done) =>
      exporter.export(metrics, (result) => {
        told(result.code === 0 ? undefined : (result.error ?? new Error('the push failed')));
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}
