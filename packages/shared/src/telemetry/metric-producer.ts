import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { type Clock, systemClock } from '../time/index.ts';
import { unitOf } from './metric-unit.ts';
import type { HistogramSource, MetricSource, Metrics } from './metrics.ts';

interface ProducerOptions {
  clock?: Clock;
  /**
   * `scrape`: a metric without values is told by its name, so that who looks finds all there are. `push`:
   * it is left out, because receivers refuse it; units are told beside the names.
   */
  form: 'scrape' | 'push';
}

/** Begin and end of what was counted. */
interface Period {
  startTime: HrTime;
  endTime: HrTime;
}

/**
 * Brings the metrics of a process to a reader of OpenTelemetry, as they are at the moment it asks. It has no
 * state: what is not read any more is not told, and nothing is counted twice however many readers
 * there are. Counts are cumulative, since the process began. A source that fails is left out and told as an
 * error; the others are there.
 */
export function metricProducer(metrics: Metrics, options: ProducerOptions): MetricProducer {
  const { clock = systemClock, form } = options;
  const pushed = form === 'push';
  const startTime = hrTime(performance.timeOrigin);
  return {
    collect: () => {
      const period = { startTime, endTime: hrTime(clock.now()) };
      const told: MetricData[] = [];
      const errors: unknown[] = [];
      for (const source of metrics.sources) {
        try {
          const data = metricData(source, period, pushed ? unitOf(source.name) : '');
          if (!pushed || data.dataPoints.length > 0) told.push(data);
        } catch (error) {
          errors.push(error);
        }
      }
      return Promise.resolve(resultOf(told, errors));
    },
  };
}

function metricData(source: MetricSource, period: Period, unit: string): MetricData {
  const { name, help: description } = source;
  const base = {
    descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (source.kind === 'histogram') {
    const dataPointType = DataPointType.HISTOGRAM as const;
    return { ...base, dataPointType, dataPoints: distributions(source, period) };
  }
  const dataPoints = Array.from(source.read(), ({ value, labels }) => ({
    ...period,
    attributes: labels,
    value,
  }));
  return source.kind === 'counter'
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** Copied: it is counted on while a reader writes them out. */
function distributions(source: HistogramSource, period: Period) {
  const boundaries = [...source.bounds];
  return Array.from(source.read(), ({ labels, sum, counts }) => ({
    ...period,
    attributes: labels,
    value: {
      buckets: { boundaries, counts: [...counts] },
      sum,
      count: counts.reduce((total, count) => total + count, 0),
    },
  }));
}

function resultOf(metrics: MetricData[], errors: unknown[]): CollectionResult {
  const scopeMetrics = metrics.length === 0 ? [] : [{ scope: { name: 'baton' }, metrics }];
  // Readers put their own in its place.
  return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors };
}

function hrTime(ms: number): HrTime {
  const whole = Math.floor(ms);
  return [Math.floor(whole / 1_000), (whole % 1_000) * 1_000_000];
}
