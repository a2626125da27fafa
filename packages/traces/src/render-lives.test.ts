import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { drawBar } from './draw-bar.ts';
import { lifeRows } from './life-rows.ts';
import { renderLives, renderSteps } from './render-lives.ts';
import { findLives } from './runner-lives.ts';
import { SpanIndex } from './span-index.ts';
import { aLife, aSpan } from './testing/a-life.ts';
import type { TraceSpan } from './trace-span.ts';

const plain = picocolors.createColors(false);
const colored = picocolors.createColors(true);

function waterfall(spans: readonly TraceSpan[], { width = 100, colors = plain } = {}): string {
  const index = new SpanIndex(spans);
  return renderLives(index, findLives(index), { width, colors });
}

describe('renderLives', () => {
  test('draws what was done for a runner, from the poll on', () => {
    expect(waterfall(aLife()).split('\n')).toEqual([
      'runner baton-linux-r1 (r1): 4.00 s in all, 1.90 s without idling and its job',
      'trace 4bf92f3577b34da6a3ce929d0e0e4736',
      ' START   TOOK                        PROCESS        SPAN',
      '-1.200  1.200  <                     listener-0     poll',
      ' 0.000  0.006  #                     listener-0       handle message',
      ' 0.008  0.004  #                     provisioner-0    plan',
      ' 0.010  3.990  ####################  janitor-0        runner',
      ' 0.015  0.050  #                     provisioner-0      create runner',
      ' 0.016  0.024  #                     provisioner-0        register runner',
      ' 0.017  0.022  #                     provisioner-0          POST           200 _apis/generatejitco..',
      ' 0.065  0.835  #####                 provisioner-0      boot',
      ' 0.900  0.100      #                 provisioner-0      idle',
      ' 1.000  2.000       ##########       provisioner-0      job                succeeded',
      ' 3.500  0.490                   ###  janitor-0          delete runner',
      '',
    ]);
  });

  test('no line is wider than the terminal', () => {
    for (const width of [20, 60, 80, 200]) {
      const [, , ...lines] = waterfall(aLife(), { width }).split('\n');

      expect(lines.filter((line) => line.length > width)).toEqual([]);
    }
  });

  test('colours only when asked to, and then draws bars of blocks', () => {
    expect(waterfall(aLife())).not.toMatch(/[^\n\x20-\x7e]/);
    expect(waterfall(aLife(), { colors: colored })).toContain('\x1b[36m◀');
  });

  test('says why a step failed', () => {
    const failed = { spanId: 'again', error: 'quota: no room\n\x1b[31mat all' };

    const text = waterfall([...aLife(), aSpan('create runner', [70, 90], failed)], { width: 200 });

    expect(text).toMatch(/ create runner +failed: quota: no room \[31mat all$/m);
  });

  test('says what is missing', () => {
    const left = aLife().filter(({ name }) => name !== 'runner');

    expect(waterfall(left)).toContain('; it was not gone, or nobody lived to tell\n');
    expect(waterfall(aLife().slice(1))).toContain('; no poll that asked for it was told\n');
  });
});

describe('lifeRows', () => {
  const rowsIn = (spans: readonly TraceSpan[]) => {
    const index = new SpanIndex(spans);
    const [life] = findLives(index);
    return life ? lifeRows(index, life) : [];
  };

  test('leaves out other runners of the poll', () => {
    const other = aSpan('runner', [20, 90], { spanId: 'second', parentId: 'poll' });
    const its = aSpan('boot', [40, 80], { spanId: 'its', parentId: 'second' });

    expect(rowsIn([...aLife(), other, its])).toHaveLength(aLife().length);
  });

  test('makes one row of siblings of one name where there are more than two', () => {
    const publish = (id: number) =>
      aSpan('publish create', [id, id + 5], { spanId: `p${id}`, parentId: 'plan' });

    const rows = rowsIn([...aLife(), publish(9), publish(10), publish(11)]);

    const row = rows.find(({ span }) => span.name === 'publish create');
    expect(row).toMatchObject({ depth: 2, count: 3 });
    expect((row?.endMs ?? 0) - (row?.startMs ?? 0)).toBe(7);
  });

  test('comes to an end with spans that name each other as parents', () => {
    const spans = aLife().map((span) =>
      span.name === 'poll' ? { ...span, parentId: 'boot' } : span,
    );

    expect(rowsIn(spans).length).toBeGreaterThan(0);
  });
});

test.each<[[number, number], string]>([
  [[0, 100], '##########'],
  [[25, 75], '  ######  '],
  [[50, 50], '     #    '],
  [[100, 100], '         #'],
  [[-40, 20], '<#        '],
  [[-40, 0], '<         '],
])('drawBar of %j', ([startMs, endMs], expected) => {
  const axis = { zeroMs: 0, endMs: 100 };

  expect(drawBar({ startMs, endMs }, axis, { width: 10, ascii: true })).toBe(expected);
});

test('renderSteps is a table', () => {
  expect(renderSteps(findLives(new SpanIndex(aLife())), plain).split('\n')).toEqual([
    'STEPS OF 1 RUNNER  COUNT     P50     P95     MAX',
    'poll to plan           1   10 ms   10 ms   10 ms',
    'create runner          1   50 ms   50 ms   50 ms',
    'boot                   1  835 ms  835 ms  835 ms',
    'idle                   1  100 ms  100 ms  100 ms',
    'job                    1  2.00 s  2.00 s  2.00 s',
    'job to gone            1  1.00 s  1.00 s  1.00 s',
    '',
  ]);
});
