import { attributes } from '@baton/shared/telemetry';
import type { TraceSpan } from '../trace-span.ts';

/** When the poll of `aLife` was answered; wall clock, ms. */
export const zeroMs = 1_764_000_000_000;
export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

/** A span of that trace; times count from the poll's answer, in ms. */
export function aSpan(
  name: string,
  [from, to]: readonly [number, number],
  changed: Partial<TraceSpan> = {},
): TraceSpan {
  const process = changed.service ?? 'provisioner';
  return {
    traceId,
    spanId: name.replaceAll(' ', '-'),
    parentId: 'runner',
    name,
    startMs: zeroMs + from,
    endMs: zeroMs + to,
    instance: `${process}-0`,
    attributes: {},
    links: [],
    error: undefined,
    ...changed,
    service: `baton-${process}`,
  };
}

const listener = { service: 'listener' };
const janitor = { service: 'janitor' };

/** The life of a runner as the three services tell it. */
export function aLife(): TraceSpan[] {
  const runner = { [attributes.runner]: 'r1', [attributes.runnerName]: 'baton-linux-r1' };
  const request = { 'url.path': '/_apis/generatejitconfig', 'http.response.status_code': 200 };
  return [
    aSpan('poll', [-1_200, 0], { ...listener, parentId: undefined }),
    aSpan('handle message', [0, 6], { ...listener, parentId: 'poll' }),
    aSpan('plan', [8, 12], { parentId: 'poll' }),
    aSpan('runner', [10, 4_000], { ...janitor, parentId: 'poll', attributes: runner }),
    aSpan('create runner', [15, 65]),
    aSpan('register runner', [16, 40], { parentId: 'create-runner' }),
    aSpan('POST', [17, 39], { parentId: 'register-runner', attributes: request }),
    aSpan('boot', [65, 900]),
    aSpan('idle', [900, 1_000]),
    aSpan('job', [1_000, 3_000], { attributes: { [attributes.jobResult]: 'succeeded' } }),
    aSpan('delete runner', [3_500, 3_990], janitor),
  ];
}

/** As the services send it. */
export function asOtlp(spans: readonly TraceSpan[]): string {
  const resourceSpans = spans.map((span) => ({
    resource: {
      attributes: [
        { key: 'service.name', value: { stringValue: span.service } },
        { key: 'service.instance.id', value: { stringValue: span.instance } },
      ],
    },
    scopeSpans: [{ scope: { name: 'baton' }, spans: [otlpOf(span)] }],
  }));
  return JSON.stringify({ resourceSpans });
}

function otlpOf(span: TraceSpan) {
  const hex = (text: string) => Buffer.from(text).toString('hex').padEnd(16, '0').slice(0, 16);
  return {
    traceId: span.traceId,
    spanId: hex(span.spanId),
    ...(span.parentId === undefined ? {} : { parentSpanId: hex(span.parentId) }),
    name: span.name,
    kind: 1,
    startTimeUnixNano: `${Math.round(span.startMs)}000000`,
    endTimeUnixNano: `${Math.round(span.endMs)}000000`,
    attributes: Object.entries(span.attributes).map(([key, value]) => ({
      key,
      value: { stringValue: String(value) },
    })),
    status: span.error === undefined ? {} : { code: 2, message: span.error },
  };
}
