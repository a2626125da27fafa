import { expect, test } from 'vitest';
import { takeoverRatios } from './ratios.ts';

test('a start is compared with that of a bare process, a poll with round trips, a TTL with itself', () => {
  const figures = {
    sameIdentityMs: { p50: 900 },
    sameIdentityFromConfigMs: { p50: 600 },
    otherPodFastMs: { p50: 800 },
    otherPodTtlMs: { p50: 9_000 },
    waitOutAfterReleaseMs: undefined,
    handOverGapMs: { p50: 100 },
  };
  const floor = { processStartP50Ms: 30, natsRoundTripP50Ms: 0.1, httpP50Ms: 0.4 };

  expect(takeoverRatios(figures, floor)).toEqual({
    sameIdentityMs: 30,
    sameIdentityFromConfigMs: 1_200,
    otherPodFastMs: 1_600,
    otherPodTtlMs: 0.9,
    handOverGapMs: 200,
  });
});
