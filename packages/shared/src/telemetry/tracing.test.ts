import { eventually, startOtlpReceiver } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../time/index.ts';
import { inSpan, mintSpan, parseTraceparent, recordSpan, startSpan } from './spans.ts';
import { received, trace } from './testing/traced.ts';

/** A collector, and this process traced to it. */
async function setUp(env: Record<string, string> = {}) {
  const receiver = await startOtlpReceiver();
  const { tracing, ...rest } = await trace(receiver, env);
  onTestFinished(async () => {
    await tracing.end(2_000);
    await receiver[Symbol.asyncDispose]();
  });
  return { receiver, tracing, ...rest };
}

const nothing = () => undefined;

const patient = { timeoutMs: 20_000 };
const times = { timeout: 60_000 };

describe('spans are exported', times, () => {
  test.each(['http/protobuf', 'http/json'])('as %s, with all that they say', async (protocol) => {
    const { receiver, tracing, outcomes } = await setUp({
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t0ken',
      OTEL_RESOURCE_ATTRIBUTES: 'team=ci',
    });
    tracing.ready();
    const startedAt = Date.now();
    const cause = startSpan('cause', { kind: 'producer', parent: null });
    cause.end();

    const work = inSpan('work', { kind: 'consumer', links: [cause.traceparent] }, async (span) => {
      span.set({ text: 'a', whole: 3, part: 0.5, yes: true, none: undefined });
      span.event('moment', { n: 1 });
      await systemClock.sleep(5);
      throw new TypeError('broken');
    });
    await expect(work).rejects.toThrow('broken');

    const spans = await received(receiver, 'cause', 'work');
    const told = spans.find(({ name }) => name === 'work');
    const led = spans.find(({ name }) => name === 'cause');
    expect(told).toMatchObject({
      kind: 'consumer',
      parentSpanId: undefined,
      links: [{ traceId: led?.traceId, spanId: led?.spanId }],
      status: 'error',
      statusMessage: 'broken',
      scope: 'baton',
      resource: {
        'service.name': 'baton-test',
        'service.instance.id': 'test-0',
        'baton.installation.id': 'try',
        team: 'ci',
      },
    });
    expect(told?.attributes).toEqual({
      text: 'a',
      whole: 3,
      part: 0.5,
      yes: true,
      'error.type': 'TypeError',
    });
    expect(told?.events).toMatchObject([
      { name: 'moment', attributes: { n: 1 } },
      { name: 'exception', attributes: { 'exception.type': 'TypeError' } },
    ]);
    const ms = (ns = 0n) => Number(ns) / 1e6;
    expect(ms(told?.start)).toBeGreaterThan(startedAt - 20);
    expect(ms(told?.end) - ms(told?.start)).toBeGreaterThanOrEqual(4);
    expect(receiver.asked[0]?.headers).toMatchObject({
      authorization: 'Bearer t0ken',
      'content-encoding': 'gzip',
    });
    await eventually(
      () => expect(outcomes()).toEqual({ exported: 2, failed: 0, dropped: 0 }),
      patient,
    );
  });

  test('those of the start too, with the ids and times that they had', async () => {
    const { receiver, tracing } = await setUp();
    const minted = mintSpan();
    const parent = startSpan('parent', { parent: null });
    const early = await inSpan('early', { parent: parent.traceparent }, (span) => span.traceparent);
    recordSpan('runner', {
      as: minted,
      parent: null,
      startedAt: 1_700_000_000_000.25,
      endedAt: 1_700_000_060_000,
    });
    expect(receiver.asked).toEqual([]);

    tracing.ready();
    const spans = await received(receiver, 'early', 'runner');
    // Began before OpenTelemetry was there, and ends now.
    parent.end();
    await received(receiver, 'parent');

    const named = (name: string) => spans.find((span) => span.name === name);
    expect(named('early')).toMatchObject({
      ...idsOf(early),
      parentSpanId: parseTraceparent(parent.traceparent)?.spanId,
    });
    expect(named('parent')).toMatchObject(idsOf(parent.traceparent));
    expect(named('runner')).toMatchObject({
      ...idsOf(minted),
      parentSpanId: undefined,
      start: 1_700_000_000_000_250_000n,
      end: 1_700_000_060_000_000_000n,
    });
  });

  test('of a trace that is not sampled only what fails, and no HTTP calls', async () => {
    const { receiver, tracing } = await setUp({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    tracing.ready();
    await inSpan('early', { parent: null }, nothing);
    recordSpan('loaded', { startedAt: 1, endedAt: 2, parent: null, error: new Error('first') });
    await received(receiver, 'loaded');

    await inSpan('fine', { parent: null }, async () => {
      expect((await fetch(`${receiver.url}/nothing`)).status).toBe(404);
    });
    recordSpan('last', { startedAt: 1, endedAt: 2, parent: null, error: new Error('last') });

    await eventually(
      () => expect(receiver.spans.map(({ name }) => name)).toContain('last'),
      patient,
    );
    const names = receiver.spans.map(({ name }) => name).toSorted();
    expect(names).toEqual(['last', 'loaded']);
  });
});

describe('an HTTP call', times, () => {
  test('is a span of its own within one of ours, without its query, and carries no trace', async () => {
    const { receiver, tracing } = await setUp();
    tracing.ready();
    await inSpan('loaded', { parent: null }, nothing);
    await received(receiver, 'loaded');

    await inSpan('outer', { parent: null }, async () => {
      await fetch(`${receiver.url}/path?sessionId=s3cret`, { method: 'DELETE' });
      await fetch(`${receiver.url}/queue`, { headers: { 'x-scalesetmaxcapacity': '5' } });
    });
    await fetch(`${receiver.url}/alone`);

    await eventually(
      () => expect(receiver.spans.map(({ name }) => name)).toContain('outer'),
      patient,
    );
    const outer = receiver.spans.find(({ name }) => name === 'outer');
    const calls = receiver.spans.filter(({ kind }) => kind === 'client');
    expect(calls).toMatchObject([
      {
        name: 'DELETE',
        traceId: outer?.traceId,
        parentSpanId: outer?.spanId,
        attributes: { 'url.full': `${receiver.url}/path`, 'http.response.status_code': 404 },
      },
    ]);
    expect(JSON.stringify(calls.map(({ attributes }) => attributes))).not.toContain('s3cret');
    for (const { headers } of receiver.asked) expect(headers).not.toHaveProperty('traceparent');
  });
});

function idsOf(traceparent: string | undefined) {
  const { traceId, spanId } = parseTraceparent(traceparent) ?? {};
  return { traceId, spanId };
}
