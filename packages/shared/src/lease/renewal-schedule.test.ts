import { expect, test } from 'vitest';
import { renewalWaitMs } from './renewal-schedule.ts';

const leases = 1_000;
const intervalMs = 3_333;
const windowMs = 100;
const untilMs = 60_000;

/** A multiplicative congruential generator: the same numbers in every run. */
function seededRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('renewals of a thousand leases that were taken at one moment do not come at one moment', () => {
  const random = seededRandom();
  const windows = Array.from({ length: untilMs / windowMs }, () => 0);
  for (let lease = 0; lease < leases; lease += 1) {
    let at = renewalWaitMs(intervalMs, true, random);
    while (at < untilMs) {
      const window = Math.floor(at / windowMs);
      windows[window] = (windows[window] ?? 0) + 1;
      at += renewalWaitMs(intervalMs, false, random);
    }
  }

  const mean = windows.reduce((sum, count) => sum + count, 0) / windows.length;
  expect(mean).toBeGreaterThan((leases * windowMs) / intervalMs);
  expect(Math.max(...windows)).toBeLessThan(2 * mean);
});

test('a renewal never comes later than a third of the lease’s life', () => {
  for (const isFirst of [true, false]) {
    expect(renewalWaitMs(intervalMs, isFirst, () => 1)).toBeLessThanOrEqual(intervalMs);
  }
});
