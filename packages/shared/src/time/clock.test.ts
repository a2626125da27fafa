import { describe, expect, test } from 'vitest';
import { isoNow, systemClock } from './clock.ts';

describe('systemClock', () => {
  test('a sleep rejects with the reason as soon as its signal is aborted', async () => {
    const caller = new AbortController();
    const reason = new Error('stop');

    const sleeping = systemClock.sleep(60_000, caller.signal);
    caller.abort(reason);

    await expect(sleeping).rejects.toBe(reason);
  });

  test('does not sleep when its signal was aborted before', async () => {
    const reason = new Error('stop');

    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

test('isoNow gives the wall clock as it is stored in records', () => {
  const clock = { ...systemClock, now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) };

  expect(isoNow(clock)).toBe('2026-01-02T03:04:05.006Z');
});
