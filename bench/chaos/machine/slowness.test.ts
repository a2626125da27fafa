import { expect, test } from 'vitest';
import { slownessMs } from './slowness.ts';
import type { Sight } from './witness.ts';

const noStart = { starts: false };

test('while processes stand still each of four steps may take longer, by the longest time', () => {
  const sights = [
    { kind: 'standstill', fromMs: 1_000, toMs: 1_900 },
    { kind: 'standstill', fromMs: 2_000, toMs: 2_100 },
    { kind: 'standstill', fromMs: 2_200, toMs: 2_500 },
  ] as const;

  expect(slownessMs(sights, { fromMs: 2_050, toMs: 2_300 }, noStart)).toBe(1_200);
  expect(slownessMs(sights, { fromMs: 1_500, toMs: 3_000 }, noStart)).toBe(3_600);
  expect(slownessMs(sights, { fromMs: 2_600, toMs: 3_000 }, noStart)).toBe(0);
});

test('what costs CPU takes longer by as much as work did, a start most of all', () => {
  const work = (fromMs: number, stretch: number): Sight => ({
    kind: 'work',
    fromMs,
    toMs: fromMs + 10 * stretch,
    stretch,
  });
  const span = { fromMs: 10_000, toMs: 11_000 };

  expect(slownessMs([work(10_100, 3), work(10_600, 5)], span, noStart)).toBe(900);
  expect(slownessMs([work(10_100, 3), work(10_600, 5)], span, { starts: true })).toBe(5_400);
  expect(slownessMs([work(8_000, 9), work(10_600, 1)], span, { starts: true })).toBe(0);
});
