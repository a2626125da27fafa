import { z } from 'zod';
import {
  type AttributeValue,
  attributesSchema,
  countSchema,
  resourceSchema,
  scopeSchema,
  timeSchema,
} from './otlp-common.ts';

/** One set of labels of a metric as it was received. */
interface ReceivedPoint {
  attributes: Record<string, AttributeValue>;
  /** Of a sum or gauge; of a histogram its sum. */
  value: number;
  /** Of a histogram: how many of each bucket, the last for what is above all bounds. */
  buckets: number[];
  bounds: number[];
}

/** A metric as it was received. */
export interface ReceivedMetric {
  name: string;
  description: string;
  unit: string;
  kind: 'gauge' | 'sum' | 'histogram';
  points: ReceivedPoint[];
  resource: Record<string, AttributeValue>;
  scope: string;
}

const numberPointSchema = z
  .looseObject({
    attributes: attributesSchema,
    timeUnixNano: timeSchema,
    asDouble: z.number().optional(),
    asInt: z.union([z.string().regex(/^-?\d+$/), z.int()]).optional(),
  })
  .refine(({ asDouble, asInt }) => (asDouble ?? asInt) !== undefined, { error: 'has no value' })
  .transform(({ attributes, asDouble, asInt }) => ({
    attributes,
    value: asDouble ?? Number(asInt),
    buckets: [],
    bounds: [],
  }));

const histogramPointSchema = z
  .looseObject({
    attributes: attributesSchema,
    timeUnixNano: timeSchema,
    count: countSchema.default(0n),
    sum: z.number().default(0),
    bucketCounts: z.array(countSchema).default([]),
    explicitBounds: z.array(z.number()).default([]),
  })
  .refine((point) => point.bucketCounts.length === point.explicitBounds.length + 1, {
    error: 'has not one bucket more than bounds',
  })
  .refine((point) => point.bucketCounts.reduce((sum, one) => sum + one, 0n) === point.count, {
    error: 'counts something else than its buckets do',
  })
  .transform(({ attributes, sum, bucketCounts, explicitBounds }) => ({
    attributes,
    value: sum,
    buckets: bucketCounts.map(Number),
    bounds: explicitBounds,
  }));

/** Cumulative or delta: what is unspecified cannot be used. */
const temporalitySchema = z.int().min(1).max(2);
const gaugeSchema = z.looseObject({ dataPoints: z.array(numberPointSchema).default([]) });
const sumSchema = gaugeSchema.extend({ aggregationTemporality: temporalitySchema });
const histogramSchema = z.looseObject({
  dataPoints: z.array(histogramPointSchema).default([]),
  aggregationTemporality: temporalitySchema,
});

const metricSchema = z
  .looseObject({
    name: z.string().min(1),
    description: z.string().default(''),
    unit: z.string().default(''),
    gauge: gaugeSchema.optional(),
    sum: sumSchema.optional(),
    histogram: histogramSchema.optional(),
  })
  .transform(({ name, description, unit, gauge, sum, histogram }) => {
    const kind = gauge ? ('gauge' as const) : sum ? ('sum' as const) : ('histogram' as const);
    const points: ReceivedPoint[] = (gauge ?? sum ?? histogram)?.dataPoints ?? [];
    return { name, description, unit, kind, points };
  });

export const metricsSchema = z.looseObject({
  resourceMetrics: z
    .array(
      z.looseObject({
        resource: resourceSchema,
        scopeMetrics: z
          .array(z.looseObject({ scope: scopeSchema, metrics: z.array(metricSchema).default([]) }))
          .default([]),
      }),
    )
    .default([]),
});

export function metricsIn({ resourceMetrics }: z.infer<typeof metricsSchema>): ReceivedMetric[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map((metric) => ({ ...metric, resource, scope: scope.name })),
    ),
  );
}
