import { FakeClock } from '@baton/testkit';
import { context, trace } from '@opentelemetry/api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../errors/index.ts';
import { OtelSpanMaker } from './otel-span-maker.ts';
import type { SpanFacts } from './own-span.ts';
import { spanClock } from './span-clock.ts';
import {
  activeTraceparent,
  inSpan,
  inTrace,
  makeSpansWith,
  mintSpan,
  parseTraceparent,
  recordSpan,
  startSpan,
  withinSpan,
} from './spans.ts';

const foreign = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const unsampled = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

function setUp(ratio = 1) {
  const clock = new FakeClock();
  const told: SpanFacts[] = [];
  const sampling = { parentBased: true, ratio };
  const tell = (facts: SpanFacts) => void told.push(facts);
  makeSpansWith(new OtelSpanMaker({ sampling, now: spanClock(clock), tell }));
  onTestFinished(() => makeSpansWith(undefined));
  const named = (name: string) => told.find((facts) => facts.name === name);
  return { clock, told, named };
}

describe('spans', () => {
  test('have ids, parents and times before anything of OpenTelemetry exports them', async () => {
    const { clock, named } = setUp();
    const start = clock.now();

    await inSpan('outer', { attributes: { a: 1 } }, async (outer) => {
      await clock.advance(10);
      await inSpan('inner', { kind: 'client' }, (inner) => {
        inner.event('half', { b: true });
        expect(activeTraceparent()).toBe(inner.traceparent);
      });
      await clock.advance(5);
      outer.set({ a: 2 });
      expect(activeTraceparent()).toBe(outer.traceparent);
    });

    const [outer, inner] = [named('outer'), named('inner')];
    expect(activeTraceparent()).toBeUndefined();
    expect(outer).toMatchObject({
      parent: undefined,
      startedAt: start,
      endedAt: start + 15,
      attributes: { a: 2 },
      context: { sampled: true },
    });
    expect(inner).toMatchObject({
      kind: 'client',
      parent: outer?.context,
      startedAt: start + 10,
      events: [{ name: 'half', at: start + 10, attributes: { b: true } }],
    });
    expect(inner?.context.traceId).toBe(outer?.context.traceId);
    expect(inner?.context.spanId).not.toBe(outer?.context.spanId);
  });

  test('are of the trace of the message that they handle', async () => {
    const { named } = setUp();

    await inTrace(foreign, () => inSpan('process', {}, () => undefined));
    await inTrace('no traceparent', () => inSpan('odd', {}, () => undefined));
    await inTrace(foreign, () => inTrace(null, () => inSpan('apart', {}, () => undefined)));

    expect(named('apart')).toMatchObject({ parent: undefined });
    expect(named('process')).toMatchObject({ parent: parseTraceparent(foreign) });
    expect(named('odd')).toMatchObject({ parent: undefined });
  });

  test('one that never ends is never told, and one that ended says no more', () => {
    const { told } = setUp();
    startSpan('endless');
    const span = startSpan('over', { links: [foreign, undefined, 'none'] });

    span.end();
    span.end(span.traceparent?.length);
    span.set({ late: true });
    span.fail(new Error('late'));

    expect(told).toHaveLength(1);
    expect(told).toMatchObject([
      { name: 'over', attributes: {}, failure: undefined, links: [parseTraceparent(foreign)] },
    ]);
  });

  test('one that waits for long keeps the last of its moments', () => {
    const { told } = setUp();
    const span = startSpan('waiting');

    for (let attempt = 1; attempt <= 1_000; attempt += 1) span.event('refused', { attempt });
    span.end();

    expect(told[0]?.events).toHaveLength(128);
    expect(told[0]?.events.at(-1)).toMatchObject({ attributes: { attempt: 1_000 } });
  });

  test('a span that is told later has the id that was minted, and the sampling of then', () => {
    const { told } = setUp(0);
    const minted = mintSpan(foreign);
    const times = { startedAt: 1_000.5, endedAt: 2_000 };

    recordSpan('runner', { as: minted, parent: foreign, ...times });

    expect(told).toMatchObject([
      { context: parseTraceparent(minted), parent: parseTraceparent(foreign), ...times },
    ]);
  });

  test('the parent of another trace becomes a link', () => {
    const { told } = setUp();
    const minted = mintSpan();

    recordSpan('runner', { as: minted, parent: foreign, startedAt: 1, endedAt: 2 });

    expect(told).toMatchObject([{ parent: undefined, links: [parseTraceparent(foreign)] }]);
  });
});

describe('of a trace that is not sampled', () => {
  test('nothing is told, and what it causes elsewhere is not either', async () => {
    const { told } = setUp(0);

    await inSpan('root', {}, (span) => expect(span.traceparent).toMatch(/-00$/));
    await inTrace(unsampled, () => inSpan('process', {}, () => undefined));

    expect(told).toEqual([]);
    expect(mintSpan(unsampled)).toMatch(/^00-a{32}-[0-9a-f]{16}-00$/);
  });

  test('what fails is told, with its parents by their ids', async () => {
    const { told, named } = setUp(0);
    const failure = new AppError('github', 'no answer', { cause: new Error('ECONNRESET') });

    const outer = await inSpan('outer', {}, async (span) => {
      await inSpan('good', {}, () => undefined);
      await inSpan('bad', {}, () => Promise.reject(failure)).catch(() => undefined);
      return parseTraceparent(span.traceparent);
    });
    recordSpan('runner', { startedAt: 1, endedAt: 2, error: new TypeError('x is undefined') });

    expect(told.map(({ name }) => name)).toEqual(['bad', 'runner']);
    expect(outer).toBeDefined();
    expect(named('bad')).toMatchObject({
      parent: outer,
      failure: 'no answer: ECONNRESET',
      attributes: { 'error.type': 'github' },
      // What is expected has no stack.
      events: [],
    });
    expect(named('runner')).toMatchObject({
      attributes: { 'error.type': 'TypeError' },
      events: [{ name: 'exception', at: 2 }],
    });
  });
});

test('the wall clock may be set while a span lives: it keeps an order, and ends after its start', () => {
  const times = { now: 1_000_000, monotonic: 0 };
  const clock = {
    now: () => times.now,
    monotonic: () => times.monotonic,
    sleep: () => Promise.resolve(),
  };
  const now = spanClock(clock);

  Object.assign(times, { now: 1_000_001, monotonic: 1.25 });
  expect(now()).toBe(1_000_001.25);
  Object.assign(times, { now: 900_000, monotonic: 2 });
  expect(now()).toBe(900_000);
});

test('instrumentations see a span where its trace is told, and none of that within another', () => {
  setUp();
  const seen = () => trace.getSpanContext(context.active())?.traceId;

  inTrace(foreign, () => {
    expect(seen()).toBe('a'.repeat(32));
    inTrace(unsampled, () => expect(seen()).toBeUndefined());
    inTrace(null, () => expect(seen()).toBeUndefined());
    expect(seen()).toBe('a'.repeat(32));
  });
  expect(seen()).toBeUndefined();
});

test('a span within which work runs is its active one, whoever made it', () => {
  setUp();
  const span = { ...startSpan('none'), traceparent: foreign };

  expect(withinSpan(span, () => activeTraceparent())).toBe(foreign);
});
