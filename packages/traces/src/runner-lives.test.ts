import { describe, expect, test } from 'vitest';
import { findLives, slowest } from './runner-lives.ts';
import { SpanIndex } from './span-index.ts';
import { stepTimes } from './step-times.ts';
import { aLife, aSpan, traceId, zeroMs } from './testing/a-life.ts';
import type { TraceSpan } from './trace-span.ts';

const livesIn = (spans: readonly TraceSpan[]) => findLives(new SpanIndex(spans));
const without = (...names: string[]) => aLife().filter(({ name }) => !names.includes(name));

describe('findLives', () => {
  test('a life goes from the answer of the poll to the end of the runner', () => {
    expect(livesIn(aLife().reverse())).toMatchObject([
      {
        runnerId: 'r1',
        runnerName: 'baton-linux-r1',
        traceId,
        zeroMs,
        endMs: zeroMs + 4_000,
        // Without 100 ms idle and a job of 2 s.
        ownMs: 1_900,
        poll: { name: 'poll' },
        steps: [
          { name: 'create runner' },
          { name: 'boot' },
          { name: 'idle' },
          { name: 'job' },
          { name: 'delete runner' },
        ],
      },
    ]);
  });

  test('a poll in another trace is found by its link', () => {
    const other = 'f'.repeat(32);
    const spans = aLife().map((span) => {
      if (span.name === 'poll') return { ...span, traceId: other };
      const links = [{ traceId: other, spanId: 'poll' }];
      return span.name === 'runner' ? { ...span, parentId: undefined, links } : span;
    });

    expect(livesIn(spans)).toMatchObject([{ traceId, zeroMs, poll: { traceId: other } }]);
  });

  test('without its poll a life begins with the runner', () => {
    expect(livesIn(without('poll'))).toMatchObject([{ zeroMs: zeroMs + 10, poll: undefined }]);
  });

  test('a runner that is not gone has the life that was told so far', () => {
    const [life] = livesIn(without('runner', 'job', 'delete runner'));

    expect(life).toMatchObject({ runner: undefined, zeroMs: zeroMs + 15, endMs: zeroMs + 1_000 });
    expect(life?.steps.map(({ name }) => name)).toEqual(['create runner', 'boot', 'idle']);
  });

  test('what is told twice counts once', () => {
    expect(livesIn([...aLife(), ...aLife()])).toEqual(livesIn(aLife()));
  });

  test('a trace of two runners has two lives, and one without a runner has none', () => {
    const second = [
      aSpan('runner', [20, 90], { spanId: 'second', parentId: 'poll' }),
      aSpan('create runner', [30, 80], { spanId: 'third', parentId: 'second' }),
    ];

    expect(livesIn([...second, ...aLife()])).toMatchObject([
      { runnerId: 'r1' },
      { runnerId: 'unknown', steps: [{ spanId: 'third' }] },
    ]);
    expect(livesIn([aSpan('sweep lost-runners', [0, 5], { parentId: undefined })])).toEqual([]);
  });
});

test('the slowest is the one that took longest besides its job', () => {
  const at = (spanId: string, own: number, job: number) => [
    aSpan('runner', [0, own + job], { spanId, parentId: undefined }),
    aSpan('job', [own, own + job], { spanId: `${spanId}-job`, parentId: spanId }),
  ];
  const lives = livesIn([...at('a', 100, 9_000), ...at('b', 300, 10), ...at('c', 200, 10)]);

  expect(slowest(lives, 2).map(({ ownMs }) => ownMs)).toEqual([300, 200]);
});

test('stepTimes tells where the time went, over all runners that have the step', () => {
  const retried = aSpan('create runner', [70, 170], { spanId: 'again' });

  expect(stepTimes(livesIn([...aLife(), retried]))).toEqual([
    { step: 'poll to plan', count: 1, p50Ms: 10, p95Ms: 10, maxMs: 10 },
    { step: 'create runner', count: 1, p50Ms: 150, p95Ms: 150, maxMs: 150 },
    { step: 'boot', count: 1, p50Ms: 835, p95Ms: 835, maxMs: 835 },
    { step: 'idle', count: 1, p50Ms: 100, p95Ms: 100, maxMs: 100 },
    { step: 'job', count: 1, p50Ms: 2_000, p95Ms: 2_000, maxMs: 2_000 },
    { step: 'job to gone', count: 1, p50Ms: 1_000, p95Ms: 1_000, maxMs: 1_000 },
  ]);
  expect(stepTimes([])).toEqual([]);
});
