import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { PollGaps } from './poll-gaps.ts';

describe('PollGaps', () => {
  test('nothing is measured before the first poll', async () => {
    const clock = new FakeClock();
    const gaps = new PollGaps(clock);
    await clock.advance(5000);

    gaps.held('a');

    expect(gaps.report()).toEqual({ a: 0 });
  });

  test('the longest gap counts, one still open included', async () => {
    const clock = new FakeClock();
    const gaps = new PollGaps(clock);
    gaps.held('a');
    gaps.released('a');
    await clock.advance(300);
    gaps.held('a');
    await clock.advance(10_000);
    gaps.released('a');

    await clock.advance(200);
    expect(gaps.report()).toEqual({ a: 300 });
    await clock.advance(200);
    expect(gaps.report()).toEqual({ a: 400 });
  });

  test('a set that is not tracked keeps what was measured', async () => {
    const clock = new FakeClock();
    const gaps = new PollGaps(clock);
    gaps.held('a');
    gaps.released('a');
    await clock.advance(100);
    gaps.setTracking('a', false);
    await clock.advance(1000);
    expect(gaps.report()).toEqual({ a: 100 });

    gaps.setTracking('a', true);
    await clock.advance(150);

    expect(gaps.report()).toEqual({ a: 150 });
  });
});
