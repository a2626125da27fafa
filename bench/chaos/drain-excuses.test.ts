import { describe, expect, test } from 'vitest';
import { brokenDrains } from './drain-excuses.ts';
import type { Disturbance } from './driver.ts';
import { fault, strike } from './testing/evidence.ts';

const drain = { name: 'listener-0', exitCode: 1, fromMs: 10_000, toMs: 30_000 };
const hangs = fault({ what: 'long outage', how: 'hang', forMs: 30_000 }, 0);
const answers = fault({ what: 'long outage', how: 'status', forMs: 30_000 }, 0);
const natsAtTheEnd = strike('nats', 26_000, 40_000, 'freeze');

function isBroken(disturbances: Disturbance[], part: Partial<typeof drain> = {}): boolean {
  return brokenDrains([{ ...drain, ...part }], disturbances).length === 1;
}

describe('a drain that failed', () => {
  test('is excused when GitHub hung and NATS was away at its end', () => {
    expect(isBroken([hangs, natsAtTheEnd])).toBe(false);
  });

  test('is not by one of them, or by a NATS that was back before', () => {
    expect(isBroken([])).toBe(true);
    expect(isBroken([hangs])).toBe(true);
    expect(isBroken([natsAtTheEnd])).toBe(true);
    expect(isBroken([answers, natsAtTheEnd])).toBe(true);
    expect(isBroken([hangs, strike('nats', 20_000, 24_999, 'freeze')])).toBe(true);
  });

  test('is not when nobody who drains waits for a session', () => {
    expect(isBroken([hangs, natsAtTheEnd], { name: 'janitor-0' })).toBe(true);
  });
});

test('a drain that ended well needs no excuse', () => {
  expect(isBroken([], { exitCode: 0 })).toBe(false);
});
