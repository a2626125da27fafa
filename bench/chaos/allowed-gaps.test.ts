import type { JournalEntry } from '@baton/github-sim';
import { describe, expect, test } from 'vitest';
import { pollGaps } from '../polls.ts';
import { allowedUntil, brokenGaps } from './allowed-gaps.ts';
import type { Disturbance, Drain } from './driver.ts';
import type { Excuse } from './excuses.ts';
import { entry, evidence, fault, gap, strike, timing } from './testing/evidence.ts';

const begin = 50_000;

/** Until when a gap of `web` that began at `begin` is allowed, counted from there. */
function allowedMs(
  disturbances: Disturbance[],
  more: JournalEntry[] = [],
  [before, after]: [string, string] = ['listener-0', 'listener-0'],
  drains: Drain[] = [],
): number {
  const polls = gap(begin, begin + 500_000, before, after);
  const journal = [...polls, ...more].toSorted((a, b) => a.at - b.at);
  const given = evidence({ journal, disturbances, drains, endMs: begin + 600_000 });
  const [broken] = brokenGaps(pollGaps(polls), given, timing);
  return (broken?.allowedUntilMs ?? Number.NaN) - begin;
}

test('a gap of a second needs no excuse, a longer one does', () => {
  const broken = (toMs: number) =>
    brokenGaps(pollGaps(gap(begin, toMs)), evidence(), timing).length;

  expect(broken(begin + 1_000)).toBe(0);
  expect(broken(begin + 1_001)).toBe(1);
  expect(allowedMs([])).toBe(1_000);
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

  test('of listeners that are not in the books: one, and only when a takeover is due', () => {
    const due = { fromMs: 0, untilMs: 4_000, why, takeover: true } as const;
    const unseen = (fromMs: number) =>
      ({ fromMs, untilMs: fromMs + 3_000, why, unseen: true }) as const;

    expect(until(due, unseen(2_000))).toBe(5_000);
    expect(until(due, unseen(2_000), unseen(4_500))).toBe(5_000);
    expect(until({ fromMs: 0, untilMs: 4_000, why }, unseen(2_000))).toBe(4_000);
    expect(until(due, unseen(2_000), { ...due, fromMs: 4_200 }, unseen(4_500))).toBe(7_500);
  });
});

describe('GitHub', () => {
  const spoiled = (at: number, more: Partial<JournalEntry> = {}) =>
    entry(at, 'spoiled', {
      by: 'listener-0',
      route: 'getMessage',
      fault: { kind: 'status', status: 503 },
      ...more,
    });

  test('a call that was spoiled excuses the back-off of so many in a row, and a second', () => {
    expect(allowedMs([], [spoiled(begin)])).toBe(1_500);
    expect(allowedMs([], [spoiled(begin), spoiled(begin + 400)])).toBe(2_400);
    const many = Array.from({ length: 9 }, (_, index) => spoiled(begin + index));
    expect(allowedMs([], many)).toBe(31_008);
  });

  test('a row of failures ends with a poll that was not spoiled, and only with that', () => {
    const before = [
      entry(begin - 900, 'ended'),
      spoiled(begin - 900),
      spoiled(begin - 700),
      entry(begin - 500, 'held'),
    ];
    const late = { fault: { kind: 'truncate' } };

    expect(allowedMs([], [...before, spoiled(begin + 1, late)])).toBe(3_001);
    expect(allowedMs([], [...before, spoiled(begin + 200)])).toBe(1_700);
  });

  test('a call of another scale set, or of a process that is not concerned, excuses nothing', () => {
    expect(allowedMs([], [spoiled(begin, { scaleSet: 'other' })])).toBe(1_000);
    expect(allowedMs([], [spoiled(begin, { by: 'provisioner-0', scaleSet: '' })])).toBe(1_000);
    expect(allowedMs([], [spoiled(begin, { by: 'provisioner-0' })])).toBe(1_000);
  });

  test('a delete that fails excuses its own back-off, when many messages wait for theirs', () => {
    const fails = [begin, begin + 100].map((at) => spoiled(at, { route: 'deleteMessage' }));
    const delivered = (count: number) =>
      Array.from({ length: count }, (_, id) =>
        entry(begin - 900 + id, 'delivered', { messageId: id }),
      );
    const deleted = entry(begin - 1, 'deleted', { messageId: 3 });

    expect(allowedMs([], [...delivered(10), ...fails])).toBe(6_100);
    expect(allowedMs([], [...delivered(9), ...fails])).toBe(1_000);
    expect(allowedMs([], [...delivered(10), deleted, ...fails])).toBe(1_000);
  });

  test('an outage excuses its time, whether somebody called in it or not', () => {
    const outage = fault({ what: 'outage', status: 503, forMs: 5_000 }, begin + 500);

    expect(allowedMs([outage])).toBe(6_500);
  });

  test('a token that cannot be had excuses the longest back-off, where a session was asked for', () => {
    const token = { scaleSet: '', route: 'createRegistrationToken' };
    const asked = (at: number) => entry(at, 'asked', { by: 'listener-0' });

    expect(allowedMs([], [spoiled(begin, token)])).toBe(1_000);
    expect(allowedMs([], [asked(begin - 1), spoiled(begin, token)])).toBe(1_000);
    expect(allowedMs([], [spoiled(begin, token), asked(begin + 20_000)])).toBe(31_000);
    expect(allowedMs([], [spoiled(begin, { route: 'getScaleSet' })])).toBe(1_000);
  });

  test('a call that hangs lasts as long as its deadline, one that is delayed as long as that', () => {
    const hang = { fault: { kind: 'hang' } };

    expect(allowedMs([], [spoiled(begin, hang)])).toBe(76_500);
    expect(allowedMs([], [spoiled(begin, { ...hang, route: 'refreshSession' })])).toBe(31_500);
    expect(allowedMs([], [spoiled(begin, { fault: { kind: 'delay', ms: 700 } })])).toBe(1_700);
  });

  test('a limit holds all calls of its process back, those of other scale sets too', () => {
    const limit = { scaleSet: 'other', fault: { kind: 'status', status: 429 } };
    const asked = entry(begin + 70_000, 'asked', { by: 'listener-0' });
    const limited = (route: string) => allowedMs([], [spoiled(begin, { ...limit, route }), asked]);

    expect(limited('getMessage')).toBe(1_000);
    expect(limited('refreshSession')).toBe(7_000);
    expect(limited('registerRunner')).toBe(62_000);
    expect(allowedMs([], [spoiled(begin, { ...limit, route: 'registerRunner' })])).toBe(1_000);
  });

  test('who takes a scale set over may meet such a limit before it calls about that', () => {
    const limited = (by: string) =>
      spoiled(begin + 1_000, {
        by,
        scaleSet: '',
        route: 'createRegistrationToken',
        fault: { kind: 'status', status: 429 },
      });
    const asked = entry(begin + 90_000, 'asked', { by: 'listener-0' });
    const killed = strike('listener-0', begin, begin + 2_000);

    expect(allowedMs([killed], [limited('listener-1'), asked])).toBe(63_000);
    expect(allowedMs([], [limited('listener-1'), asked])).toBe(1_000);
    expect(allowedMs([killed], [limited('provisioner-0'), asked])).toBe(4_000);
    expect(allowedMs([killed], [limited('listener-1')])).toBe(4_000);
  });

  test('a session that is ended is replaced at once, and with a pause when that is often', () => {
    const evict = fault({ what: 'evict session', scaleSet: 'web', forMs: 0 }, begin);
    const opened = [begin - 50_000, begin - 10_000].map((at) => entry(at, 'opened'));

    expect(allowedMs([evict])).toBe(3_000);
    expect(allowedMs([evict], opened)).toBe(5_000);
    expect(allowedMs([{ ...evict, step: { ...evict.step } }], opened.slice(0, 1))).toBe(4_000);
    expect(allowedMs([fault({ what: 'evict session', scaleSet: 'other', forMs: 0 }, begin)])).toBe(
      1_000,
    );
  });

  test('a session that expired in the meantime has to be replaced', () => {
    const hang = spoiled(begin, { fault: { kind: 'hang' } });
    const asked = (atMs: number) => entry(begin + atMs, 'asked', { by: 'listener-0' });
    const opened = entry(begin - 10_000, 'opened');

    expect(allowedMs([], [hang, opened, asked(75_000)])).toBe(78_000);
    expect(allowedMs([], [hang, opened, asked(19_000)])).toBe(76_500);
  });

  test('a session that nobody could record is waited out, once', () => {
    const session = 's1';
    const opened = entry(begin - 2_000, 'opened', { session, by: 'listener-1' });
    const conflicts = [begin + 500, begin + 9_000].map((at) => entry(at, 'conflict', { session }));
    const cause = strike('listener-1', begin - 1_900, begin - 1_000);

    expect(allowedMs([cause], [opened, ...conflicts])).toBe(30_500);
    expect(allowedMs([], [opened, ...conflicts])).toBe(1_000);
  });
});
