import { expect, test } from 'vitest';
import { slownessMs } from './slowness.ts';

test('what is done while nobody gets far may take four times as much longer, by the longest time', () => {
  const standstills = [
    { fromMs: 1_000, toMs: 1_900 },
    { fromMs: 2_000, toMs: 2_100 },
    { fromMs: 2_200, toMs: 2_500 },
  ];

  expect(slownessMs(standstills, { fromMs: 2_050, toMs: 2_300 })).toBe(1_200);
  expect(slownessMs(standstills, { fromMs: 1_500, toMs: 3_000 })).toBe(3_600);
  expect(slownessMs(standstills, { fromMs: 2_600, toMs: 3_000 })).toBe(0);
});
