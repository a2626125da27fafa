import { describe, expect, test } from 'vitest';
import { type Lag, type Look, lateMs, nextLag } from './lag-watch.ts';

/** Looks one after the other, 2 s apart; what was known after each. */
function after(...looks: readonly Look[]): (Lag['late'] | 'idle')[] {
  let lag: Lag | undefined;
  return looks.map((look, index) => {
    lag = nextLag(lag, look, { monotonic: index * 2_000, wall: 1_000_000 + index * 2_000 });
    return lag ? lag.late : 'idle';
  });
}
const idle: Look = { count: 0, oldestAt: undefined };
/** As told at the look of this number. */
const waitsFor = (ms: number, index: number): Look => ({
  count: 3,
  oldestAt: 1_000_000 + index * 2_000 - ms,
});

describe('nextLag', () => {
  test('is none while nothing waits, or not for long', () => {
    const looks = [0, 1, 2, 3, 4, 5, 6].map((index) => waitsFor(lateMs - 1, index));

    expect(after(idle, idle)).toEqual(['idle', 'idle']);
    expect(after(...looks).every((late) => late === undefined)).toBe(true);
  });

  test('begins when the oldest has waited for long, and there was something at every look since', () => {
    const looks = [0, 1, 2, 3, 4, 5].map((index) => waitsFor(60_000, index));

    const told = after(...looks);

    expect(told.slice(0, 5).every((late) => late === undefined)).toBe(true);
    expect(told[5]).toEqual({ forMs: 10_000, count: 3 });
  });

  test('a clock of the server that is wrong makes none of a consumer that is empty now and then', () => {
    const looks = [0, 1, 2].map((index) => waitsFor(60_000, index));

    expect(after(...looks, idle, ...looks).filter((late) => typeof late === 'object')).toEqual([]);
  });

  test('ends at half of where it begins, and at once when nothing waits', () => {
    const lag: Lag = { busySince: 0, late: { forMs: 12_000, count: 3 } };
    const now = { monotonic: 60_000, wall: 60_000 };
    const look = (ms: number): Look => ({ count: 3, oldestAt: now.wall - ms });

    expect(nextLag(lag, look(lateMs / 2), now)?.late).toEqual({ forMs: lateMs / 2, count: 3 });
    expect(nextLag(lag, look(lateMs / 2 - 1), now)?.late).toBeUndefined();
    expect(nextLag(lag, idle, now)).toBeUndefined();
  });
});
