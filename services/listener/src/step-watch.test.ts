import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { StepWatch, StuckError } from './step-watch.ts';

/** A watch that runs, and what it has said. */
function aWatch() {
  const clock = new FakeClock();
  const watch = new StepWatch(clock, 'the loop');
  const stop = new AbortController();
  const said: unknown[] = [];
  const running = watch.untilStuck(stop.signal).then((stuck) => void said.push(stuck));
  return { clock, watch, stop, said, running };
}

describe('StepWatch', () => {
  test('says that a loop is stuck when a step is overdue, and not before', async () => {
    const { clock, watch, said } = aWatch();
    watch.begin(90_000);

    await clock.advance(89_999);
    const before = [...said];
    await clock.advance(1);

    expect(before).toEqual([]);
    expect(said).toEqual([expect.any(StuckError)]);
    expect(said).toMatchObject([{ message: 'the loop made no step for 90 s', retryable: true }]);
  });

  test('every step gives the loop new time', async () => {
    const { clock, watch, said } = aWatch();

    for (let n = 0; n < 20; n += 1) {
      watch.begin(90_000);
      await clock.advance(80_000);
    }

    expect(said).toEqual([]);
  });

  test('a loop that waits for others may take any time', async () => {
    const { clock, watch, said } = aWatch();
    watch.begin(90_000);
    watch.rest();

    await clock.advance(3_600_000);
    const resting = [...said];
    watch.begin(90_000);
    await clock.advance(120_000);

    expect(resting).toEqual([]);
    expect(said).toEqual([expect.any(StuckError)]);
  });

  test('ends with its signal, and leaves no timer', async () => {
    const { clock, watch, stop, said, running } = aWatch();
    watch.begin(90_000);

    stop.abort();
    await running;

    expect(said).toEqual([undefined]);
    expect(clock.sleeping).toBe(0);
  });
});
