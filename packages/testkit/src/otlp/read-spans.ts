import { z } from 'zod';
import {
  type AttributeValue,
  attributesSchema,
  resourceSchema,
  scopeSchema,
  timeSchema,
} from './otlp-common.ts';

/** A span as it was received. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Undefined for the first span of a trace. */
  parentSpanId: string | undefined;
  name: string;
  kind: (typeof kinds)[number];
  /** ns since 1970. */
  start: bigint;
  end: bigint;
  attributes: Record<string, AttributeValue>;
  events: { name: string; at: bigint; attributes: Record<string, AttributeValue> }[];
  links: { traceId: string; spanId: string }[];
  status: 'unset' | 'ok' | 'error';
  statusMessage: string;
  resource: Record<string, AttributeValue>;
  scope: string;
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const statuses = ['unset', 'ok', 'error'] as const;

function idSchema(digits: number) {
  return z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digits}}$`), { error: `is not ${digits} hexadecimal digits` })
    .refine((id) => /[^0]/.test(id), { error: 'is all zeros' });
}
const traceIdSchema = idSchema(32);
const spanIdSchema = idSchema(16);

const spanSchema = z
  .looseObject({
    traceId: traceIdSchema,
    spanId: spanIdSchema,
    parentSpanId: z.union([z.literal(''), spanIdSchema]).optional(),
    name: z.string().min(1),
    kind: z.int().min(0).max(5).default(0),
    startTimeUnixNano: timeSchema,
    endTimeUnixNano: timeSchema,
    attributes: attributesSchema,
    events: z
      .array(
        z.looseObject({
          timeUnixNano: timeSchema,
          name: z.string().min(1),
          attributes: attributesSchema,
        }),
      )
      .default([]),
    links: z.array(z.looseObject({ traceId: traceIdSchema, spanId: spanIdSchema })).default([]),
    status: z
      .looseObject({ code: z.int().min(0).max(2).default(0), message: z.string().default('') })
      .default({ code: 0, message: '' }),
  })
  .refine((span) => span.endTimeUnixNano >= span.startTimeUnixNano, {
    error: 'ends before it starts',
  })
  .refine((span) => span.parentSpanId !== span.spanId, { error: 'is its own parent' });

export const tracesSchema = z.looseObject({
  resourceSpans: z
    .array(
      z.looseObject({
        resource: resourceSchema,
        scopeSpans: z
          .array(z.looseObject({ scope: scopeSchema, spans: z.array(spanSchema).default([]) }))
          .default([]),
      }),
    )
    .default([]),
});

export function spansIn({ resourceSpans }: z.infer<typeof tracesSchema>): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({ ...readSpan(span), resource, scope: scope.name })),
    ),
  );
}

function readSpan(span: z.infer<typeof spanSchema>) {
  const { traceId, spanId, name, attributes, status } = span;
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanId || undefined,
    name,
    kind: kinds[span.kind] ?? 'unspecified',
    start: span.startTimeUnixNano,
    end: span.endTimeUnixNano,
    attributes,
    events: span.events.map((event) => ({
      name: event.name,
      at: event.timeUnixNano,
      attributes: event.attributes,
    })),
    links: span.links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    status: statuses[status.code] ?? 'unset',
    statusMessage: status.message,
  };
}
