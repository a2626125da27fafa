import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { metricProducer } from './metric-producer.ts';
import type { Metrics } from './metrics.ts';

/** Sets of labels that are written out at a time; a histogram has twenty lines for each. */
const sliceSize = { numbers: 2_000, histograms: 100 };

/**
 * Answers a scrape with the metrics of now, under the names that they were declared with. Loaded when the
 * first one comes: importing the SDK takes 50 ms and 18 MB, which a start has no time for. Rejects when
 * the client does not wait for the answer.
 */
export async function answerScrape(metrics: Metrics, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  await pipeline(Readable.from(scrapeSlices(metrics)), response);
}

/** The answer, bit by bit: of many series, the event loop turns between two. All are as they were at the first. */
export async function* scrapeSlices(metrics: Metrics): AsyncGenerator<string> {
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const producer = metricProducer(metrics, { form: 'scrape' });
  const { resource, scopeMetrics } = (await producer.collect()).resourceMetrics;
  for (const { scope, metrics: all } of scopeMetrics) {
    for (const metric of all) {
      let isFirst = true;
      for (const slice of slicesOf(metric)) {
        const text = serializer.serialize({
          resource,
          scopeMetrics: [{ scope, metrics: [slice] }],
        });
        // The format wants help and type of a metric once.
        yield isFirst ? text : text.replace(/^(?:#.*\n)+/, '');
        isFirst = false;
        await setImmediate();
      }
    }
  }
}

function* slicesOf(metric: MetricData): Iterable<MetricData> {
  if (metric.dataPointType === DataPointType.HISTOGRAM) {
    for (const dataPoints of chunks(metric.dataPoints, sliceSize.histograms))
      yield { ...metric, dataPoints };
  } else if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    yield metric;
  } else {
    for (const dataPoints of chunks(metric.dataPoints, sliceSize.numbers))
      yield { ...metric, dataPoints };
  }
}

/** One, without any, of nothing. */
function* chunks<T>(all: readonly T[], size: number): Iterable<T[]> {
  for (let start = 0; start === 0 || start < all.length; start += size)
    yield all.slice(start, start + size);
}
