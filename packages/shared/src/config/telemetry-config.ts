import { accessSync, constants } from 'node:fs';
import { z } from 'zod';
import { flagSchema, milliseconds, wholeNumber } from './load-config.ts';
import { Secret } from './secret.ts';

const endpointSchema = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
    error: 'is no http:// or https:// URL',
  })
  .refine((text) => !URL.parse(text)?.password, {
    error: 'must not hold a password: it would not be sent; set OTEL_EXPORTER_OTLP_HEADERS',
  })
  .optional();
const protocolSchema = z.enum(['http/protobuf', 'http/json', 'grpc']).optional();
const compressionSchema = z.enum(['gzip', 'none']).optional();
const timeoutText = 'allowed is a whole number of ms above 0';
const timeoutSchema = z.coerce
  .number({ error: `is not a number; ${timeoutText}` })
  .refine((ms) => Number.isInteger(ms) && ms > 0, {
    error: ({ input }) => `is ${String(input)}; ${timeoutText}`,
  })
  .optional();

/** `name=value,name=value`, percent-encoded: how OpenTelemetry's variables hold more than one value. */
const pairsSchema = z.string().transform((text, refinement) => {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  const read = pairs.map(readPair);
  if (read.every((pair) => pair !== undefined)) return Object.fromEntries(read);
  refinement.addIssue({ code: 'custom', message: 'is not name=value,name=value, percent-encoded' });
  return z.NEVER;
});

function readPair(pair: string): [string, string] | undefined {
  const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
  if (name === undefined || value === undefined) return undefined;
  try {
    return [decodeURIComponent(name), decodeURIComponent(value)];
  } catch {
    return undefined;
  }
}

/** Files that exporters read themselves, and only warn of what they cannot read. */
const fileSchema = z
  .string()
  .refine(isReadable, { error: 'names a file that cannot be read' })
  .optional();

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const headersSchema = pairsSchema
  .transform((headers) =>
    Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, new Secret(v)])),
  )
  .optional();

/** Standard variables of OpenTelemetry that count for all that is exported. */
const exportVariables = {
  otelDisabled: { variable: 'OTEL_SDK_DISABLED', schema: flagSchema },
  otelServiceName: { variable: 'OTEL_SERVICE_NAME', schema: z.string().optional() },
  otelResource: { variable: 'OTEL_RESOURCE_ATTRIBUTES', schema: pairsSchema.default({}) },
  otlpEndpoint: { variable: 'OTEL_EXPORTER_OTLP_ENDPOINT', schema: endpointSchema },
  otlpProtocol: { variable: 'OTEL_EXPORTER_OTLP_PROTOCOL', schema: protocolSchema },
  otlpHeaders: { variable: 'OTEL_EXPORTER_OTLP_HEADERS', schema: headersSchema },
  otlpCa: { variable: 'OTEL_EXPORTER_OTLP_CERTIFICATE', schema: fileSchema },
  otlpCertificate: { variable: 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', schema: fileSchema },
  otlpKey: { variable: 'OTEL_EXPORTER_OTLP_CLIENT_KEY', schema: fileSchema },
  otlpCompression: { variable: 'OTEL_EXPORTER_OTLP_COMPRESSION', schema: compressionSchema },
  otlpTimeoutMs: { variable: 'OTEL_EXPORTER_OTLP_TIMEOUT', schema: timeoutSchema },
};

/** Standard variables of OpenTelemetry for traces. */
const tracesVariables = {
  tracesExporter: {
    variable: 'OTEL_TRACES_EXPORTER',
    schema: z.enum(['otlp', 'console', 'none']).optional(),
  },
  tracesEndpoint: { variable: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', schema: endpointSchema },
  tracesProtocol: { variable: 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', schema: protocolSchema },
  tracesHeaders: { variable: 'OTEL_EXPORTER_OTLP_TRACES_HEADERS', schema: headersSchema },
  tracesCa: { variable: 'OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE', schema: fileSchema },
  tracesCertificate: {
    variable: 'OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE',
    schema: fileSchema,
  },
  tracesKey: { variable: 'OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY', schema: fileSchema },
  tracesCompression: {
    variable: 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION',
    schema: compressionSchema,
  },
  tracesTimeoutMs: { variable: 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', schema: timeoutSchema },
  tracesSampler: {
    variable: 'OTEL_TRACES_SAMPLER',
    schema: z
      .enum([
        'always_on',
        'always_off',
        'traceidratio',
        'parentbased_always_on',
        'parentbased_always_off',
        'parentbased_traceidratio',
      ])
      .default('parentbased_always_on'),
  },
  tracesRatio: {
    variable: 'OTEL_TRACES_SAMPLER_ARG',
    schema: z.coerce
      .number({ error: 'is not a number; allowed is a number from 0 to 1' })
      .refine((ratio) => ratio >= 0 && ratio <= 1, {
        error: ({ input }) => `is ${String(input)}; allowed is a number from 0 to 1`,
      })
      .default(1),
  },
  spanDelayMs: { variable: 'OTEL_BSP_SCHEDULE_DELAY', schema: milliseconds(5_000) },
  spanExportTimeoutMs: { variable: 'OTEL_BSP_EXPORT_TIMEOUT', schema: milliseconds(30_000) },
  spanQueueSize: {
    variable: 'OTEL_BSP_MAX_QUEUE_SIZE',
    schema: wholeNumber({ default: 2_048, min: 1, max: 1_000_000 }),
  },
  spanBatchSize: {
    variable: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    schema: wholeNumber({ default: 512, min: 1, max: 1_000_000 }),
  },
};

const metricExporters = ['otlp', 'prometheus', 'none'] as const;

/** One of them, or several with commas between. `prometheus`, which is there always, changes nothing. */
const metricsExporterSchema = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(
    z.array(
      z.enum(metricExporters, {
        error: `names something else; allowed are ${metricExporters.join(', ')}`,
      }),
    ),
  )
  .optional();

/** Standard variables of OpenTelemetry for metrics. */
const metricsVariables = {
  metricsExporter: { variable: 'OTEL_METRICS_EXPORTER', schema: metricsExporterSchema },
  metricsEndpoint: { variable: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', schema: endpointSchema },
  metricsProtocol: { variable: 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', schema: protocolSchema },
  metricsHeaders: { variable: 'OTEL_EXPORTER_OTLP_METRICS_HEADERS', schema: headersSchema },
  metricsCa: { variable: 'OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE', schema: fileSchema },
  metricsCertificate: {
    variable: 'OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE',
    schema: fileSchema,
  },
  metricsKey: { variable: 'OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY', schema: fileSchema },
  metricsCompression: {
    variable: 'OTEL_EXPORTER_OTLP_METRICS_COMPRESSION',
    schema: compressionSchema,
  },
  metricsTimeoutMs: { variable: 'OTEL_EXPORTER_OTLP_METRICS_TIMEOUT', schema: timeoutSchema },
  metricIntervalMs: {
    variable: 'OTEL_METRIC_EXPORT_INTERVAL',
    schema: milliseconds(60_000, 100),
  },
  metricExportTimeoutMs: {
    variable: 'OTEL_METRIC_EXPORT_TIMEOUT',
    schema: milliseconds(30_000, 100),
  },
};

/** What telemetry leaves the process, and where to; the names are those that OpenTelemetry has. */
export const telemetryVariables = {
  ...exportVariables,
  ...tracesVariables,
  ...metricsVariables,
};

type ValuesOf<V extends Record<string, { schema: z.ZodType }>> = {
  [K in keyof V]: z.infer<V[K]['schema']>;
};

export type TelemetryConfig = ValuesOf<typeof telemetryVariables>;
