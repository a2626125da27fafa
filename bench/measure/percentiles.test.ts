import { expect, test } from 'vitest';
import { percentile, rangeOf, ratio, spread } from './percentiles.ts';

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

test('a range is the median with the least and the most', () => {
  expect(rangeOf([7, 1.23456, 3])).toEqual({ median: 3, min: 1.235, max: 7 });
  expect(rangeOf([]).median).toBeNaN();
});

test('a ratio has three digits, however large it is', () => {
  expect(ratio(1, 3)).toBe(0.333);
  expect(ratio(12_345, 10)).toBe(1_230);
});
