import { describe, expect, test } from 'vitest';
import { clockDifference } from './clock-difference.ts';

const at = (earliestMs: number, latestMs = earliestMs) => ({ earliestMs, latestMs });

describe('clockDifference', () => {
  test.each([
    ['the same time', at(5_000), at(5_000), 0],
    ['a time that lies within the reading', at(5_000), at(4_900, 5_200), 0],
    ['a time known to the second', at(5_000, 6_000), at(5_900), 0],
    ['our clock ahead, less the time that the reading took', at(5_000), at(7_000, 7_300), 2_000],
    ['our clock ahead, less the second that is unknown', at(5_000, 6_000), at(9_000), 3_000],
    ['our clock behind', at(9_000), at(5_000, 5_300), -3_700],
  ])('%s', (_what, other, own, expected) => {
    expect(clockDifference({ other, own })).toBe(expected);
  });
});
