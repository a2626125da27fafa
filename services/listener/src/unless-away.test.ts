import { captureLog, FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { unlessAway } from './unless-away.ts';

const told =
  'nats is away: nothing was handed over, leases run out and sessions stay with their records';

function setUp(work: Promise<void> = new Promise(() => {})) {
  const clock = new FakeClock();
  const { log, messages } = captureLog();
  const [stop, abort] = [new AbortController(), new AbortController()];
  const link = { awayMs: 0 };
  const nats = { awayForMs: () => link.awayMs };
  const deps = { nats, clock, log, signal: stop.signal, abort: abort.signal };
  const state = { ended: false };
  const ending = unlessAway(deps, work).then(() => {
    state.ended = true;
  });
  return { clock, messages, stop, abort, link, state, ending };
}

describe('unlessAway', () => {
  test('waits for the work, however long, while NATS is there', async () => {
    const work = Promise.withResolvers<void>();
    const { clock, stop, abort, messages, state, ending } = setUp(work.promise);

    stop.abort();
    abort.abort();
    await clock.advance(60_000);
    const before = state.ended;
    work.resolve();
    await ending;

    expect(before).toBe(false);
    expect(messages).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  test('waits while NATS is away and nobody wants the process to end', async () => {
    const { clock, link, state } = setUp();

    link.awayMs = 600_000;
    await clock.advance(600_000);

    expect(state.ended).toBe(false);
  });

  test('ends a drain when NATS has been away for five seconds, and says so', async () => {
    const { clock, stop, link, state, messages } = setUp();
    stop.abort();
    link.awayMs = 4_999;
    await clock.advance(250);
    const before = state.ended;

    link.awayMs = 5_000;
    await clock.advance(250);

    expect([before, state.ended]).toEqual([false, true]);
    expect(messages).toEqual([told]);
  });

  test('ends a drain when its time is nearly over and NATS is away', async () => {
    const { clock, stop, abort, link, state } = setUp();
    stop.abort();
    link.awayMs = 1;
    await clock.advance(250);
    const before = state.ended;

    abort.abort();
    await clock.advance(250);

    expect([before, state.ended]).toEqual([false, true]);
  });

  test('says also of work that ended without NATS that nothing was handed over', async () => {
    const work = Promise.withResolvers<void>();
    const { stop, link, ending, messages } = setUp(work.promise);
    stop.abort();
    link.awayMs = 300;

    work.resolve();
    await ending;

    expect(messages).toEqual([told]);
  });

  test('fails as the work does', async () => {
    const failure = new Error('identity taken');

    await expect(setUp(Promise.reject(failure)).ending).rejects.toBe(failure);
  });
});
