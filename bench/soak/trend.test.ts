import { seededRandom } from '@baton/stack';
import { describe, expect, test } from 'vitest';
import { growthOf, type Point, trendOf } from './trend.ts';

const bound = { share: 0.05, least: 8 };
const count = 1_440;
const random = seededRandom(7);

/** Forty-eight minutes, a look every two seconds, of something around 150; `share` goes from 0 to 1. */
function series(valueAt: (share: number) => number): Point[] {
  return Array.from({ length: count }, (_, index) => ({
    atMs: index * 2_000,
    value: valueAt(index / count),
  }));
}

const noise = () => (random() - 0.5) * 12;
/** Teeth of 40, `many` of them. */
const saw = (share: number, many: number) => 40 * ((share * many) % 1);

describe('growth', () => {
  test.each([
    ['a line in noise', series((share) => 150 + 20 * share + noise())],
    ['a line under a saw-tooth', series((share) => 150 + 30 * share + saw(share, 90))],
    ['a staircase', series((share) => 150 + 5 * Math.floor(share * 6) + noise())],
    ['what begins in the middle', series((share) => 150 + 60 * Math.max(0, share - 0.3))],
  ])('is found: %s', (_what, points) => {
    expect(growthOf(points, bound)).toBeGreaterThan(8);
  });

  test.each([
    ['nothing but noise', series(() => 150 + noise())],
    ['a constant', series(() => 150)],
    ['many teeth', series((share) => 150 + saw(share, 90))],
    ['few teeth', series((share) => 150 + saw(share, 4))],
    ['one step at the beginning', series((share) => (share < 0.1 ? 150 : 190) + noise())],
    ['one step in the middle', series((share) => (share < 0.5 ? 150 : 190) + noise())],
    ['one step near the end', series((share) => (share < 0.9 ? 150 : 190) + noise())],
    ['what fills up and stays', series((share) => 150 + 60 * Math.min(1, share * 3) + noise())],
    ['what shrinks', series((share) => 150 - 30 * share + noise())],
    ['growth within the bound', series((share) => 150 + 6 * share + noise())],
    ['a burst', series((share) => (share > 0.8 && share < 0.85 ? 900 : 150) + noise())],
    ['a single look', [{ atMs: 0, value: 150 }]],
    ['no look', []],
  ])('is not found: %s', (_what, points) => {
    expect(growthOf(points, bound)).toBeUndefined();
  });

  test('is measured against the larger of a share and an amount', () => {
    const points = series((share) => 1_000 + 40 * share);

    expect(growthOf(points, { share: 0.05, least: 8 })).toBeUndefined();
    expect(growthOf(points, { share: 0.01, least: 8 })).toBeCloseTo(40, -1);
  });
});

test('a trend has the slope of an hour, and medians of both ends', () => {
  const trend = trendOf(series((share) => 100 + 48 * share));

  expect(trend.slopePerHour).toBeCloseTo(60, 0);
  expect(trend.first).toBeCloseTo(102.4, 0);
  expect(trend.last).toBeCloseTo(145.6, 0);
  expect(trend.most).toBeCloseTo(148, 0);
});
