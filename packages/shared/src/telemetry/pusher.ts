import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { errorText } from '../errors/index.ts';
import { grpcOptions, httpOptions } from './exporter-options.ts';
import type { Logger } from './logger.ts';
import { metricProducer } from './metric-producer.ts';
import type { Counter, Metrics } from './metrics.ts';
import type { MetricsSettings } from './metrics-settings.ts';
import type { OtlpTarget } from './otlp-target.ts';

interface PusherOptions {
  settings: MetricsSettings;
  /** What the process says of itself. */
  resource: Record<string, string | number>;
  /** Counts pushes by what became of them. */
  pushes: Counter<'outcome'>;
  log: Logger;
}

export interface Pusher {
  /** Does not wait for the next time it is due. */
  pushNow(): void;
  /** Pushes once more, and ends; takes as long as a push may take. */
  stop(): Promise<void>;
}

/**
 * Pushes all metrics of a process by OTLP, one push at a time, of the values of that moment: a collector
 * that is slow or away costs pushes, and neither memory nor work. What became of them is counted, and
 * logged when it changes.
 */
export async function startPusher(metrics: Metrics, options: PusherOptions): Promise<Pusher> {
  const { settings, resource, pushes, log } = options;
  const reader = new PeriodicExportingMetricReader({
    exporter: watched(await makeExporter(settings.target), pushes, log),
    exportIntervalMillis: settings.intervalMs,
    exportTimeoutMillis: settings.timeoutMs,
    metricProducers: [metricProducer(metrics, { form: 'push' })],
  });
  const provider = new MeterProvider({
    resource: resourceFromAttributes(resource),
    readers: [reader],
  });
  return {
    pushNow: () => void reader.forceFlush().catch(() => undefined),
    stop: async () => await provider.shutdown(),
  };
}

async function makeExporter(target: OtlpTarget): Promise<PushMetricExporter> {
  switch (target.protocol) {
    case 'http/protobuf': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
      return new OTLPMetricExporter(httpOptions(target));
    }
    case 'http/json': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
      return new OTLPMetricExporter(httpOptions(target));
    }
    case 'grpc': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
      return new OTLPMetricExporter(await grpcOptions(target));
    }
  }
}

/** The exporter, watched: says once that it fails, and once that it works again. */
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
    forceFlush: async () => await exporter.forceFlush(),
    shutdown: async () => await exporter.shutdown(),
  };
}
