import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startOtlpReceiver } from './otlp-receiver.ts';

const traceId = 'a'.repeat(32);
const spanId = 'b'.repeat(16);
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = { attributes: [attribute('service.name', 'x')] };

const aSpan = (changed: object = {}) => ({
  traceId,
  spanId,
  name: 'work',
  kind: 3,
  startTimeUnixNano: '1700000000000000001',
  endTimeUnixNano: '1700000000000000002',
  ...changed,
});
const traces = (...spans: object[]) => ({
  resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 's' }, spans }] }],
});

async function setUp() {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const json = { 'content-type': 'application/json' };
  const send = async (message: unknown, { path = '/v1/traces', headers = {} } = {}) => {
    const body = message instanceof Uint8Array ? Buffer.from(message) : JSON.stringify(message);
    const options = { method: 'POST', headers: { ...json, ...headers }, body };
    const answer = await fetch(`${receiver.url}${path}`, options);
    return { status: answer.status, text: await answer.text() };
  };
  return { receiver, send };
}

describe('an OTLP receiver takes', () => {
  test('spans in JSON, plain and packed', async () => {
    const { receiver, send } = await setUp();
    const link = { traceId, spanId: 'c'.repeat(16) };
    const span = aSpan({ links: [link], status: { code: 2, message: 'no' }, flags: 257 });

    expect(await send(traces(span))).toEqual({ status: 200, text: '{}' });
    const packed = gzipSync(JSON.stringify(traces(aSpan({ parentSpanId: 'd'.repeat(16) }))));
    expect((await send(packed, { headers: { 'content-encoding': 'gzip' } })).status).toBe(200);

    expect(receiver.violations).toEqual([]);
    expect(receiver.spans).toMatchObject([
      {
        traceId,
        parentSpanId: undefined,
        kind: 'client',
        start: 1_700_000_000_000_000_001n,
        links: [link],
        status: 'error',
        resource: { 'service.name': 'x' },
        scope: 's',
      },
      { parentSpanId: 'd'.repeat(16), status: 'unset' },
    ]);
  });

  test('an empty message in protobuf', async () => {
    const { receiver, send } = await setUp();
    const headers = { 'content-type': 'application/x-protobuf' };

    expect(await send(new Uint8Array(), { headers })).toEqual({ status: 200, text: '' });
    expect(receiver).toMatchObject({ spans: [], violations: [] });
  });

  test('metrics', async () => {
    const { receiver, send } = await setUp();
    const point = { timeUnixNano: '1700000000000000000', attributes: [attribute('a', 'b')] };
    const sum = { dataPoints: [{ ...point, asInt: '5' }], aggregationTemporality: 2 };
    const histogram = {
      dataPoints: [
        { ...point, count: '3', sum: 1.5, bucketCounts: ['1', '2'], explicitBounds: [0.5] },
      ],
      aggregationTemporality: 2,
    };
    const metrics = [
      { name: 'jobs', unit: '1', sum },
      { name: 'times', histogram },
    ];
    const message = { resourceMetrics: [{ resource, scopeMetrics: [{ scope: {}, metrics }] }] };

    expect((await send(message, { path: '/v1/metrics' })).status).toBe(200);
    expect(receiver.metrics).toMatchObject([
      { name: 'jobs', kind: 'sum', points: [{ value: 5, attributes: { a: 'b' } }] },
      {
        name: 'times',
        kind: 'histogram',
        points: [{ value: 1.5, buckets: [1, 2], bounds: [0.5] }],
      },
    ]);
  });
});

describe('it refuses and remembers', () => {
  test.each<[string, object]>([
    ['an id of the wrong length', { traceId: 'a'.repeat(30) }],
    ['an id of zeros', { spanId: '0'.repeat(16) }],
    ['a span that is its own parent', { parentSpanId: spanId }],
    ['a span without a name', { name: '' }],
    ['a span that ends before it starts', { endTimeUnixNano: '1700000000000000000' }],
    ['a span that never started', { startTimeUnixNano: '0' }],
    ['an unknown kind', { kind: 6 }],
    ['an attribute without a key', { attributes: [attribute('', 'x')] }],
    [
      'an attribute that is there twice',
      { attributes: [attribute('a', '1'), attribute('a', '2')] },
    ],
    ['an attribute without a value', { attributes: [{ key: 'a', value: {} }] }],
    ['a link to nothing', { links: [{ traceId, spanId: '' }] }],
    ['an unknown status', { status: { code: 3 } }],
  ])('%s', async (_what, changed) => {
    const { receiver, send } = await setUp();

    expect((await send(traces(aSpan(changed)))).status).toBe(400);
    expect(receiver.spans).toEqual([]);
    expect(receiver.violations).toHaveLength(1);
  });

  test.each<[string, unknown, object, number]>([
    ['what names no service', { resourceSpans: [{ resource: {}, scopeSpans: [] }] }, {}, 400],
    [
      'what is no protobuf',
      Buffer.from('\xff\xff\xff'),
      { headers: { 'content-type': 'application/x-protobuf' } },
      400,
    ],
    ['another type', traces(aSpan()), { headers: { 'content-type': 'text/plain' } }, 415],
    ['another packing', traces(aSpan()), { headers: { 'content-encoding': 'br' } }, 415],
    ['another path', traces(aSpan()), { path: '/' }, 404],
  ])('%s', async (_what, message, how, status) => {
    const { receiver, send } = await setUp();

    expect((await send(message, how)).status).toBe(status);
    expect(receiver.violations).toHaveLength(1);
  });
});
