import { describe, expect, test } from 'vitest';
import { defaultWithdrawalPolicy as policy, shouldReturn, shouldWithdraw } from './withdrawal.ts';

const idle = { emptyForMs: 600_000, openForMs: 600_000, aliveCount: 0, assigned: 0 };

describe('shouldWithdraw', () => {
  test.each([
    ['after ten minutes without capacity', {}, true],
    ['not before', { emptyForMs: 599_999 }, false],
    ['not with capacity', { emptyForMs: undefined }, false],
    ['never while a runner lives', { aliveCount: 1, emptyForMs: 6_000_000 }, false],
    ['never while a job is assigned', { assigned: 1, emptyForMs: 6_000_000 }, false],
    ['also when there was never a plan', { aliveCount: undefined }, true],
    ['not from a session of less than a minute', { openForMs: 59_999 }, false],
  ])('%s', (_when, part, withdraw) => {
    expect(shouldWithdraw({ ...idle, ...part }, policy)).toBe(withdraw);
  });
});

describe('shouldReturn', () => {
  test.each([
    ['as soon as there is room', { capacity: 1, awayForMs: 0 }, true],
    ['not before', { capacity: 0, awayForMs: 12 * 3_600_000 - 1 }, false],
    ['before GitHub deletes what is not polled', { capacity: 0, awayForMs: 12 * 3_600_000 }, true],
  ])('%s', (_when, situation, back) => {
    expect(shouldReturn(situation, policy)).toBe(back);
  });
});
