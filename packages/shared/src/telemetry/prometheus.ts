import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { MetricSource } from './metrics.ts';

/**
 * Answers a scrape. Loaded when the first one comes: importing the SDK takes 50 ms and 18 MB, which
 * a start has no time for.
 *
 * The instruments are made anew for each scrape. All state lies in the sources; instruments that
 * live on were measured to report for ever whatever they have once seen, a scale set that another
 * listener has long taken over included.
 */
export async function answerScrape(
  sources: readonly MetricSource[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  const provider = new MeterProvider({ readers: [exporter] });
  const meter = provider.getMeter('baton');
  for (const source of sources) {
    if (source.kind === 'histogram') continue;
    const { name, help, kind } = source;
    const options = { description: help };
    const instrument =
      kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableGauge(name, options);
    instrument.addCallback((result) => {
      for (const { value, labels } of source.read()) result.observe(value, labels);
    });
  }
  const finished = new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
  exporter.getMetricsRequestHandler(request, response);
  await finished;
  await provider.shutdown();
}
