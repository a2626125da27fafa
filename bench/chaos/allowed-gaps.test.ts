import { describe, expect, test } from 'vitest';
import { pollGaps } from '../polls.ts';
import { allowedUntil, brokenGaps } from './allowed-gaps.ts';
import type { Excuse } from './excuses.ts';
import { allowedMs, begin } from './testing/allowed.ts';
import { entry, evidence, gap, strike, timing } from './testing/evidence.ts';

test('a gap of a second needs no excuse, a longer one does', () => {
  const broken = (toMs: number) =>
    brokenGaps(pollGaps(gap(begin, toMs)), evidence(), timing).length;

  expect(broken(begin + 1_000)).toBe(0);
  expect(broken(begin + 1_001)).toBe(1);
  expect(allowedMs([])).toBe(1_000);
});

test('what the machine takes from everybody is not counted, and only in its time', () => {
  const broken = (toMs: number, fromMs: number) => {
    const sights = [{ kind: 'standstill' as const, fromMs, toMs: fromMs + 300 }];
    return brokenGaps(pollGaps(gap(begin, toMs)), evidence({ sights }), timing).length;
  };

  expect(broken(begin + 2_200, begin + 500)).toBe(0);
  expect(broken(begin + 2_201, begin + 500)).toBe(1);
  expect(broken(begin + 1_001, begin - 500)).toBe(1);
});

describe('a strike', () => {
  const others = [strike('listener-1', begin - 1, begin), strike('listener-2', begin - 1, begin)];

  test('on the listener that polled: 4 s, when another one could see it at once', () => {
    expect(allowedMs([strike('listener-0', begin, begin + 9_000)])).toBe(4_000);
  });

  test('that cannot be seen at once: until it is back or its lease ran out, and 3 s', () => {
    expect(allowedMs([...others, strike('listener-0', begin, begin + 2_000)])).toBe(5_000);
    expect(allowedMs([...others, strike('listener-0', begin, begin + 30_000)])).toBe(13_000);
    expect(allowedMs([strike('listener-0', begin, begin + 30_000, 'freeze')])).toBe(13_000);
  });

  test('on a listener that neither polled nor called excuses nothing by itself', () => {
    expect(allowedMs([strike('listener-1', begin, begin + 2_000)])).toBe(1_000);
  });

  test('on the one that took it next, or called in between, counts', () => {
    const freeze = strike('listener-1', begin, begin + 5_000, 'freeze');

    expect(allowedMs([freeze], [], ['listener-0', 'listener-1'])).toBe(8_000);
    expect(allowedMs([freeze], [entry(begin + 1, 'asked', { by: 'listener-1' })])).toBe(8_000);
  });

  test('on a provisioner excuses nothing', () => {
    expect(allowedMs([strike('provisioner-0', begin, begin + 5_000)])).toBe(1_000);
  });

  test('to end a listener is a hand-over, from where it stops polling', () => {
    const drain = strike('listener-0', begin - 15_000, begin + 12_000, 'terminate');
    const peers: [string, string] = ['listener-0', 'listener-1'];

    expect(allowedMs([drain])).toBe(2_000);
    expect(allowedMs([drain], [], peers)).toBe(2_000);
    expect(allowedMs([strike('listener-1', begin - 9_000, begin - 3_001), drain])).toBe(2_000);
  });

  test('to end a listener while the others are away: the first that is back takes over', () => {
    const drain = strike('listener-0', begin - 15_000, begin + 12_000, 'terminate');
    const back = (first: number, second: number) => [
      strike('listener-1', begin - 1, begin + first),
      strike('listener-2', begin - 1, begin + second),
      drain,
    ];

    expect(allowedMs(back(3_000, 1_000))).toBe(4_000);
    expect(allowedMs(back(30_000, 20_000))).toBe(15_000);
    expect(allowedMs([strike('nats', begin - 2_000, begin - 500), drain])).toBe(13_000);
  });

  test('that came when all should have been over, or was over long before, excuses nothing', () => {
    expect(allowedMs([strike('listener-0', begin + 1_001, begin + 2_000)])).toBe(1_000);
    expect(allowedMs([strike('listener-0', begin - 9_000, begin - 8_000)])).toBe(1_000);
  });

  test('while all listeners are away or starting, nothing can be expected', () => {
    const frozen = ['listener-0', 'listener-1', 'listener-2'].map((name) =>
      strike(name, begin, begin + 20_000, 'freeze'),
    );
    expect(allowedMs(frozen)).toBe(23_000);
  });

  test('a listener that drains is there until its process has ended', () => {
    const drain = strike('listener-0', begin, begin + 30_000, 'terminate');
    const strikes = [
      strike('listener-1', begin, begin + 20_000),
      strike('listener-2', begin, begin + 20_000),
      drain,
    ];
    const ended = (toMs: number) => [{ name: 'listener-0', exitCode: 0, fromMs: begin + 5, toMs }];

    expect(allowedMs(strikes, [], undefined, ended(begin + 9_000))).toBe(23_000);
    expect(allowedMs(strikes, [], undefined, ended(begin + 29_000))).toBe(13_000);
  });
});

describe('NATS', () => {
  test('that was away for a short time excuses 3 s more', () => {
    expect(allowedMs([strike('nats', begin - 2_000, begin - 500)])).toBe(2_500);
  });

  test('that was away when polling stopped: the word that the lease is free was lost', () => {
    expect(allowedMs([strike('nats', begin + 500, begin + 2_000)])).toBe(13_000);
    expect(allowedMs([strike('nats', begin - 500, begin + 12_000)])).toBe(15_000);
  });

  test('that was away for half a TTL, with breaks or without, costs leases: somebody takes them', () => {
    const unseen = strike('listener-1', begin + 100, begin + 6_000, 'freeze');
    const end = begin - 1;
    const away = [strike('nats', begin - 6_000, end)];
    const twice = [
      strike('nats', begin - 6_000, begin - 4_000),
      strike('nats', begin - 1_000, end),
    ];

    expect(allowedMs([...away, unseen])).toBe(9_000);
    expect(allowedMs([...twice, unseen])).toBe(9_000);
    expect(allowedMs([strike('nats', begin - 1_000, end), unseen])).toBe(2_999);
  });

  test('that was away when a listener was struck: its lease counts from the return', () => {
    const both = [
      strike('nats', begin - 1_000, begin + 1_000),
      strike('listener-0', begin, begin + 40_000),
    ];
    expect(allowedMs(both)).toBe(14_000);
  });
});

describe('excuses one after the other', () => {
  const gapOf = { scaleSet: 'web', fromMs: 0, toMs: undefined };
  const until = (...excuses: Excuse[]) => allowedUntil(gapOf, excuses).allowedUntilMs;
  const why = 'test';

  test('count as long as each begins in time', () => {
    const first = { fromMs: 500, untilMs: 5_000, why };

    expect(until(first, { fromMs: 5_000, untilMs: 9_000, why })).toBe(9_000);
    expect(until(first, { fromMs: 5_001, untilMs: 9_000, why })).toBe(5_000);
  });

  test('of listeners that called for a token: all, when a takeover is due', () => {
    const due = { fromMs: 0, untilMs: 4_000, why, takeover: true } as const;
    const calling = (fromMs: number) =>
      ({ fromMs, untilMs: fromMs + 3_000, why, unseen: 'calling' }) as const;

    expect(until(due, calling(2_000), calling(4_500))).toBe(7_500);
    expect(until({ fromMs: 0, untilMs: 4_000, why }, calling(2_000))).toBe(4_000);
  });

  test('of listeners that are not in the books: one, and only when a takeover is due', () => {
    const due = { fromMs: 0, untilMs: 4_000, why, takeover: true } as const;
    const unseen = (fromMs: number) =>
      ({ fromMs, untilMs: fromMs + 3_000, why, unseen: 'silent' }) as const;

    expect(until(due, unseen(2_000))).toBe(5_000);
    expect(until(due, unseen(2_000), unseen(4_500))).toBe(5_000);
    expect(until({ fromMs: 0, untilMs: 4_000, why }, unseen(2_000))).toBe(4_000);
  });
});
