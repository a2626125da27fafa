import { describe, expect, test } from 'vitest';
import { untilNextRunMs } from './next-run.ts';

describe('untilNextRunMs', () => {
  test('sweeps of several periods come together, each with a jitter of its own', () => {
    const at = (everyMs: number, random: number) =>
      untilNextRunMs({ everyMs, phaseMs: 7_000, nowMs: 250_000, random: () => random });

    expect(at(60_000, 0)).toBe(57_000);
    expect(at(300_000, 0)).toBe(57_000);
    expect(at(60_000, 0.5)).toBe(58_000);
  });

  test.each([0, 6_999, 7_000, 7_001, 67_000, 1e12])(
    'at %d it is ahead, by no more than a period and its jitter',
    (nowMs) => {
      for (const random of [0, 0.999]) {
        const schedule = { everyMs: 5_000, phaseMs: 7_000, nowMs, random: () => random };
        const waitMs = untilNextRunMs(schedule);

        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(6_000);
      }
    },
  );
});
