import { describe, expect, test } from 'vitest';
import { backlogLimits } from './backlog-limits.ts';

describe('backlogLimits', () => {
  test.each([
    ['a fast network', 4, { heldMs: 250, maxMs: 2_000 }],
    ['a round trip of 300 ms', 300, { heldMs: 1_500, maxMs: 12_000 }],
    ['an opening that waited for something else', 20_000, { heldMs: 3_000, maxMs: 24_000 }],
  ])('after %s', (_what, openingMs, limits) => {
    expect(backlogLimits(openingMs)).toEqual(limits);
  });
});
