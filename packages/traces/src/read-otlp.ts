import { ContractError } from '@baton/shared/errors';
import { z } from 'zod';
import type { TraceSpan } from './trace-span.ts';

/** 64-bit numbers are strings in OTLP's JSON; what writes small ones as numbers is understood too. */
const numberSchema = z.union([z.string().regex(/^-?\d+$/), z.number()]);
const idSchema = z.string().regex(/^[0-9a-fA-F]+$/);

const attributeSchema = z.looseObject({
  key: z.string(),
  value: z
    .looseObject({
      stringValue: z.string().optional(),
      boolValue: z.boolean().optional(),
      intValue: numberSchema.optional(),
      doubleValue: z.number().optional(),
    })
    .optional(),
});
type Attribute = z.infer<typeof attributeSchema>;

const spanSchema = z.looseObject({
  traceId: idSchema,
  spanId: idSchema,
  parentSpanId: z.union([idSchema, z.literal('')]).optional(),
  name: z.string(),
  startTimeUnixNano: numberSchema,
  endTimeUnixNano: numberSchema,
  attributes: z.array(attributeSchema).default([]),
  links: z.array(z.looseObject({ traceId: idSchema, spanId: idSchema })).default([]),
  status: z.looseObject({ code: z.int().optional(), message: z.string().optional() }).optional(),
});

const requestSchema = z.looseObject({
  resourceSpans: z
    .array(
      z.looseObject({
        resource: z.looseObject({ attributes: z.array(attributeSchema).default([]) }).optional(),
        scopeSpans: z.array(z.looseObject({ spans: z.array(spanSchema).default([]) })).default([]),
      }),
    )
    .default([]),
});

const failed = 2;

/**
 * The spans in one request of OTLP's JSON, which is one line of a file of OpenTelemetry's file exporter.
 * What is no trace (metrics, logs) has none.
 * @throws ContractError for what is not OTLP.
 */
export function readOtlp(text: string): TraceSpan[] {
  const request = requestSchema.safeParse(parseJson(text));
  if (!request.success) throw new ContractError(`no OTLP: ${z.prettifyError(request.error)}`);
  return request.data.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const told = readAttributes(resource?.attributes ?? []);
    const service = String(told['service.name'] ?? 'unknown');
    const instance = String(told['service.instance.id'] ?? service);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({ ...readSpan(span), service, instance })),
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own text shows a part of the file, which may steer a terminal.
    throw new ContractError('no JSON; there must be one request of OTLP in JSON on each line');
  }
}

function readSpan(span: z.infer<typeof spanSchema>) {
  const { parentSpanId, status, links } = span;
  const attributes = readAttributes(span.attributes);
  return {
    traceId: span.traceId.toLowerCase(),
    spanId: span.spanId.toLowerCase(),
    parentId: isNone(parentSpanId) ? undefined : parentSpanId.toLowerCase(),
    name: span.name,
    startMs: msOf(span.startTimeUnixNano),
    endMs: msOf(span.endTimeUnixNano),
    attributes,
    links: links.map(({ traceId, spanId }) => ({
      traceId: traceId.toLowerCase(),
      spanId: spanId.toLowerCase(),
    })),
    error:
      status?.code === failed
        ? (status.message ?? String(attributes['error.type'] ?? 'failed'))
        : undefined,
  };
}

function isNone(id: string | undefined): id is undefined | '' {
  return id === undefined || /^0*$/.test(id);
}

/** Lists and maps are left out: nothing here shows them. */
function readAttributes(attributes: readonly Attribute[]): TraceSpan['attributes'] {
  const read: Record<string, string | number | boolean> = {};
  for (const { key, value = {} } of attributes) {
    const { stringValue, boolValue, intValue, doubleValue } = value;
    const plain = stringValue ?? boolValue ?? doubleValue;
    if (plain !== undefined) read[key] = plain;
    else if (intValue !== undefined) read[key] = Number(intValue);
  }
  return read;
}

/** Exact to a microsecond: nanoseconds since 1970 do not fit into a number. */
function msOf(nanos: string | number): number {
  return Number(BigInt(nanos) / 1_000n) / 1_000;
}
