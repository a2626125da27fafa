import { expect, test } from 'vitest';
import { longestGapMs } from './scenarios.ts';

test('a scale set without a gap had one of 0 ms', () => {
  const gap = (fromMs: number, toMs?: number) => ({ scaleSet: 'a', fromMs, toMs });

  expect(longestGapMs([])).toBe(0);
  expect(longestGapMs([gap(10, 30), gap(50, 60)])).toBe(20);
  expect(longestGapMs([gap(10)])).toBeNaN();
});
