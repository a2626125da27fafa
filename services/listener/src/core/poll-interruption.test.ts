import { expect, test } from 'vitest';
import { interruptAfterMs } from './poll-interruption.ts';

test.each<[told: number, now: number, least: number | undefined, most: number | undefined]>([
  [5, 5, undefined, undefined],
  [5, 4, 0, 0],
  [5, 0, 0, 0],
  [5, 6, 1_000, 2_000],
  [0, 1, 0, 250],
])(
  'a poll made with %i when it is %i is made again after %o to %o ms',
  (told, now, least, most) => {
    expect(interruptAfterMs(told, now, () => 0)).toBe(least);
    expect(interruptAfterMs(told, now, () => 1)).toBe(most);
  },
);
