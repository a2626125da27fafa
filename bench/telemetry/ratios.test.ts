import { expect, test } from 'vitest';
import { ratioOf } from './ratios.ts';

test('figures are compared with those of their own round', () => {
  const without = [10, 20, 10, 40, 10];
  const figures = [11, 26, 12, 40, 11.5];

  expect(ratioOf(figures, without)).toEqual({ median: 1.15, min: 1, max: 1.3 });
});
