import { expect, test } from 'vitest';
import { Counter } from './metrics.ts';
import type { SpanFacts } from './own-span.ts';
import { newSpanId, newTraceId } from './span-context.ts';
import { SpanOutlet } from './span-outlet.ts';

function setUp(size: number) {
  const spans = new Counter<'outcome'>({ name: 'baton_spans_total', help: 'Spans.' });
  return {
    outlet: new SpanOutlet({ size, spans }),
    dropped: () => spans.of({ outcome: 'dropped' }),
  };
}

function aSpan(name: string): SpanFacts {
  return {
    name,
    kind: 'internal',
    context: { traceId: newTraceId(), spanId: newSpanId(), sampled: true },
    parent: undefined,
    links: [],
    startedAt: 1,
    endedAt: 2,
    attributes: {},
    events: [],
    failure: undefined,
  };
}

test('keeps spans in their order until it is open, and passes on all that come then', () => {
  const { outlet, dropped } = setUp(10);
  const told: string[] = [];

  for (const name of ['a', 'b']) outlet.tell(aSpan(name));
  expect(outlet.kept).toBe(2);
  outlet.openTo(({ name }) => told.push(name));
  outlet.tell(aSpan('c'));

  expect(told).toEqual(['a', 'b', 'c']);
  expect(outlet.kept).toBe(0);
  expect(dropped()).toBe(0);
});

test('counts those for which there is no room, and keeps the first', () => {
  const { outlet, dropped } = setUp(2);
  const told: string[] = [];

  for (const name of ['a', 'b', 'c', 'd']) outlet.tell(aSpan(name));
  outlet.openTo(({ name }) => told.push(name));

  expect(told).toEqual(['a', 'b']);
  expect(dropped()).toBe(2);
});

test('when there is nowhere to go, all are counted', () => {
  const { outlet, dropped } = setUp(10);

  outlet.tell(aSpan('a'));
  outlet.close();
  outlet.tell(aSpan('b'));

  expect(dropped()).toBe(2);
});
