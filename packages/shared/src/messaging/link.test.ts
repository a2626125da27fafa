import { captureLog, FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { Link } from './link.ts';

function setUp() {
  const clock = new FakeClock();
  const { log, lines } = captureLog();
  return { clock, lines, link: new Link({ clock, log }) };
}

describe('Link', () => {
  test('tells when it goes, once a minute while it is away, and when it is back', async () => {
    const { clock, lines, link } = setUp();

    link.lost();
    link.lost();
    await clock.advance(150_000);
    link.back();
    link.back();
    await clock.advance(600_000);

    expect(lines).toHaveLength(4);
    expect(lines).toMatchObject([
      { msg: 'nats connection lost' },
      { downForMs: 60_000, msg: 'nats connection is still down' },
      { downForMs: 120_000, msg: 'nats connection is still down' },
      { afterMs: 150_000, msg: 'nats connection is back' },
    ]);
    expect(clock.sleeping).toBe(0);
  });

  test('knows how long it has been up or down', async () => {
    const { clock, link } = setUp();
    await clock.advance(10);
    const before = [link.upForMs, link.downForMs];

    link.lost();
    await clock.advance(20);
    const meanwhile = [link.upForMs, link.downForMs];
    link.back();
    await clock.advance(30);

    expect([before, meanwhile, [link.upForMs, link.downForMs]]).toEqual([
      [10, 0],
      [0, 20],
      [30, 0],
    ]);
  });

  test('is disturbed while it is down and shortly after, not at its start', async () => {
    const { clock, link } = setUp();
    const atStart = link.disturbed;

    link.lost();
    const down = link.disturbed;
    link.back();
    await clock.advance(5_999);
    const shortlyAfter = link.disturbed;
    await clock.advance(1);

    expect([atStart, down, shortlyAfter, link.disturbed]).toEqual([false, true, true, false]);
  });
});
