import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { whenCalm } from './when-calm.ts';

function setUp(...utilizations: number[]) {
  const clock = new FakeClock();
  const stop = new AbortController();
  // The first look only begins the measuring.
  const looks = [0, ...utilizations];
  const utilization = () => looks.shift() ?? 1;
  let calmAt: number | undefined;
  void whenCalm({ clock, utilization, signal: stop.signal }).then(() => {
    calmAt = clock.monotonic();
  });
  return { clock, stop, calmAt: () => calmAt };
}

describe('whenCalm', () => {
  test('is when there was little to do three times in a row', async () => {
    const { clock, calmAt } = setUp(0.9, 0.1, 0.1, 0.5, 0.1, 0, 0.1);

    await clock.advance(1_000);

    expect(calmAt()).toBe(700);
  });

  test('is after 5 s when it never is', async () => {
    const { clock, calmAt } = setUp();

    await clock.advance(4_900);
    expect(calmAt()).toBeUndefined();
    await clock.advance(100);

    expect(calmAt()).toBe(5_000);
  });

  test('is at once when the process ends', async () => {
    const { clock, stop, calmAt } = setUp();
    await clock.advance(150);

    stop.abort();
    await clock.advance(0);

    expect(calmAt()).toBe(150);
    expect(clock.sleeping).toBe(0);
  });
});
