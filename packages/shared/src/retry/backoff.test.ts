import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

const policies = fc.record({
  baseMs: fc.integer({ min: 1, max: 60_000 }),
  maxMs: fc.integer({ min: 1, max: 600_000 }),
  minMs: fc.integer({ min: 0, max: 60_000 }),
});
const attempts = fc.integer({ min: 0, max: 10_000 });
const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  test('stays between the minimum and the maximum, however often it is tried', () => {
    fc.assert(
      fc.property(policies, attempts, dice, (policy, attempt, die) => {
        const delay = backoffMs(attempt, policy, () => die);

        expect(delay).toBeLessThanOrEqual(policy.maxMs);
        expect(delay).toBeGreaterThanOrEqual(Math.min(policy.minMs, policy.baseMs, policy.maxMs));
      }),
    );
  });

  test('never waits less for a later attempt with the same luck', () => {
    fc.assert(
      fc.property(policies, attempts, dice, (policy, attempt, die) => {
        const now = backoffMs(attempt, policy, () => die);
        const later = backoffMs(attempt + 1, policy, () => die);

        expect(later).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  test('spreads over the whole range, which doubles with each attempt', () => {
    const policy = { baseMs: 100, maxMs: 1_000 };

    const ceilings = [0, 1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, policy, () => 1));
    const floors = [0, 3, 9].map((attempt) => backoffMs(attempt, policy, () => 0));

    expect(ceilings).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(floors).toEqual([0, 0, 0]);
  });
});
