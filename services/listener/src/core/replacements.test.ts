import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recentReplacements, replacementPauseMs, replacementsText } from './replacements.ts';

const now = Date.UTC(2026, 0, 1);
/** ISO times so many seconds ago. */
const ago = (...seconds: number[]) => seconds.map((s) => new Date(now - s * 1_000).toISOString());
const pause = (replacedAt: string[], die = 1) =>
  replacementPauseMs(replacedAt, { now, maxMs: 60_000, random: () => die });

describe('recentReplacements', () => {
  test('forgets what is older than 15 minutes, and puts the newest last', () => {
    expect(recentReplacements(ago(10, 899, 901, 300), now)).toEqual(ago(899, 300, 10));
  });

  test('remembers the newest twenty', () => {
    const many = Array.from({ length: 50 }, (_, index) => index);

    const kept = recentReplacements(ago(...many), now);

    expect(kept).toHaveLength(20);
    expect(kept.at(-1)).toBe(ago(0)[0]);
  });
});

describe('replacementsText', () => {
  test('says nothing of four, and something of five', () => {
    expect(replacementsText(ago(4, 3, 2, 1))).toBeUndefined();
    expect(replacementsText(ago(5, 4, 3, 2, 1))).toContain('baton_sessions_replaced_total');
  });
});

describe('replacementPauseMs', () => {
  test('is nothing when none was replaced within a minute', () => {
    expect(pause([])).toBe(0);
    expect(pause(ago(300, 200, 61))).toBe(0);
  });

  test('doubles with every one that followed another within a minute', () => {
    expect([ago(1), ago(2, 1), ago(3, 2, 1)].map((times) => pause(times))).toEqual([
      1_000, 2_000, 4_000,
    ]);
  });

  test('counts only those in a row', () => {
    expect(pause(ago(500, 499, 498, 30, 5))).toBe(2_000);
  });

  test('is never below half a second once there is one, nor above its maximum', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seconds, die) => {
          const waitMs = pause(ago(...seconds.toSorted((a, b) => b - a)), die);

          expect(waitMs).toBeGreaterThanOrEqual(500);
          expect(waitMs).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });
});
