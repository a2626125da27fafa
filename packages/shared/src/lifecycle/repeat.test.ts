import { captureLog, FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { Health } from './health.ts';
import { repeat } from './repeat.ts';

const everyMs = 1_000;

function setUp(random = () => 1) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const { log, lines } = captureLog();
  const options = { what: 'sweep', everyMs, clock, random, log, signal: stop.signal };
  return { clock, stop, lines, options };
}

describe('repeat', () => {
  test('begins at once and goes on in its rhythm until it is stopped', async () => {
    const { clock, stop, options } = setUp();
    const passes: number[] = [];

    const repeating = repeat(options, () => Promise.resolve(passes.push(clock.monotonic())));
    await clock.advance(2_500);
    stop.abort();
    await repeating;

    expect(passes).toEqual([0, 1_000, 2_000]);
    expect(clock.sleeping).toBe(0);
  });

  test('waits up to a fifth less, so that processes spread out', async () => {
    const { clock, stop, options } = setUp(() => 0);
    const passes: number[] = [];

    const repeating = repeat(options, () => Promise.resolve(passes.push(clock.monotonic())));
    await clock.advance(800);
    stop.abort();
    await repeating;

    expect(passes).toEqual([0, 800]);
  });

  test('never runs two passes at a time', async () => {
    const { clock, stop, options } = setUp();
    const passes: number[] = [];

    const repeating = repeat(options, async () => {
      passes.push(clock.monotonic());
      await clock.sleep(1_500);
    });
    await clock.advance(3_000);
    stop.abort();
    await clock.advance(1_500);
    await repeating;

    expect(passes).toEqual([0, 2_500]);
  });

  test('tells of a pass that failed and goes on', async () => {
    const { clock, stop, lines, options } = setUp();
    let passes = 0;

    const repeating = repeat(options, () => {
      passes += 1;
      return Promise.reject(new Error('broken'));
    });
    await clock.advance(1_000);
    stop.abort();
    await repeating;

    expect(passes).toBe(2);
    expect(lines).toMatchObject([
      { what: 'sweep', err: { message: 'broken' } },
      { what: 'sweep', err: { message: 'broken' } },
    ]);
  });

  test('a pass that does not end is told; failing ones and waits between them are not', async () => {
    const { clock, stop, options } = setUp();
    const health = new Health();
    const held = Promise.withResolvers<void>();
    let passes = 0;

    const repeating = repeat({ ...options, health }, () => {
      passes += 1;
      if (passes < 1_000) return Promise.reject(new Error('nats is away'));
      return held.promise;
    });
    for (let n = 0; n < 999; n += 1) await clock.advance(1_000);
    expect([passes, health.wedged]).toEqual([1_000, {}]);
    await clock.advance(15 * 60_000);

    expect(health.wedged).toEqual({ 'pass over sweep': 'has not ended for 900 s' });
    stop.abort();
    held.resolve();
    await repeating;
    expect(health.wedged).toEqual({});
  });
});
