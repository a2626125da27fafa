import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { metricProducer } from './metric-producer.ts';
import type { Metrics } from './metrics.ts';

const exporters = new WeakMap<Metrics, PrometheusExporter>();

/**
 * Answers a scrape with the metrics of now, under the names that they were declared with. Loaded when the
 * first one comes: importing the SDK takes 50 ms and 18 MB, which a start has no time for.
 */
export function answerScrape(
  metrics: Metrics,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const exporter = exporters.get(metrics) ?? exporterOf(metrics);
  exporters.set(metrics, exporter);
  exporter.getMetricsRequestHandler(request, response);
}

function exporterOf(metrics: Metrics): PrometheusExporter {
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
    metricProducers: [metricProducer(metrics, { form: 'scrape' })],
  });
  // Which has no instruments; a reader collects from nobody without one.
  new MeterProvider({ readers: [exporter] });
  return exporter;
}
