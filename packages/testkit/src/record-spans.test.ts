import {
  activeTraceparent,
  inSpan,
  inTrace,
  mintSpan,
  recordSpan,
  startSpan,
  withinSpan,
} from '@baton/shared/telemetry';
import { expect, test } from 'vitest';
import { recordSpans } from './record-spans.ts';

test('keeps names, parents, attributes, events and errors of what has ended', async () => {
  using spans = recordSpans();
  const failure = new Error('no');
  const failing = inSpan('outer', { attributes: { a: 1, b: undefined } }, async (outer) => {
    outer.event('waited', { ms: 5 });
    await inSpan('inner', { kind: 'client' }, (inner) => inner.set({ c: true }));
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
  const outer = spans.the('outer');
  expect(outer).toMatchObject({ kind: 'internal', parent: undefined, attributes: { a: 1 } });
  expect(outer.attributes).not.toHaveProperty('b');
  expect(outer).toMatchObject({ events: [{ name: 'waited', attributes: { ms: 5 } }] });
  expect(outer.error).toBe(failure);
  expect(spans.childrenOf(outer)).toEqual([spans.the('inner')]);
  expect(spans.the('inner')).toMatchObject({ kind: 'client', attributes: { c: true } });
  expect(spans.the('inner').traceId).toBe(outer.traceId);
  expect(spans.told.map(({ name }) => name)).toEqual(['inner', 'outer']);
});

test('a span that never ends is not told, and is active only where it is asked to be', () => {
  using spans = recordSpans();
  const span = startSpan('endless', { startedAt: 5 });
  expect(activeTraceparent()).toBeUndefined();
  expect(withinSpan(span, () => activeTraceparent())).toBe(span.traceparent);
  expect(spans.told).toEqual([]);
  expect(spans.open).toMatchObject([{ name: 'endless', startedAt: 5 }]);
  span.end(9);
  span.end(10);
  expect(spans.named('endless')).toMatchObject([{ endedAt: 9 }]);
});

test('a minted span is told under its id, in the trace of its parent', () => {
  using spans = recordSpans();
  const came = mintSpan();
  const minted = inTrace(came, () => mintSpan(activeTraceparent()));
  const times = { startedAt: 1, endedAt: 2 };
  recordSpan('runner', { as: minted, parent: null, links: [came, undefined], ...times });
  expect(spans.the('runner')).toMatchObject({ traceparent: minted, parent: undefined, ...times });
  expect(spans.the('runner').links).toEqual([came]);
  expect(minted?.split('-')[1]).toBe(came?.split('-')[1]);
  expect(minted).not.toBe(came);
});

test('nothing is recorded any more once it was disposed of', async () => {
  const spans = recordSpans();
  spans[Symbol.dispose]();
  await inSpan('late', {}, () => undefined);
  expect(spans.told).toEqual([]);
  expect(() => spans.the('late')).toThrow('not one span "late"');
});
