import { expect, test } from 'vitest';
import { percentile, spread } from './percentiles.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test('a percentile is the nearest rank, whatever the order of the values', () => {
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.95)).toBe(95);
  expect(percentile(hundred, 1)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
});

test('a spread says how many values it comes from, and is nothing without values', () => {
  expect(spread([3.0625, 1, 2])).toEqual({ count: 3, p50: 2, p95: 3.1, max: 3.1 });
  expect(spread([])).toBeUndefined();
});
