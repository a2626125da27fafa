import { expect, test } from 'vitest';
import { rateFigures } from './rate-figures.ts';

test('a rate has the medians of its passes, with least and most, and their ratios to the floor', () => {
  const passes = [
    [10, 20, 90],
    [30, 40, 50],
    [1, 2, 4],
  ];

  expect(rateFigures(50, passes, 2)).toEqual({
    jobsPerS: 50,
    runners: 9,
    p50Ms: 20,
    p99Ms: 50,
    maxMs: 90,
    ranges: {
      p50Ms: { median: 20, min: 2, max: 40 },
      p99Ms: { median: 50, min: 4, max: 90 },
    },
    ratios: { p50Ms: 10, p99Ms: 25 },
  });
});
