import type { JournalEntry } from '@baton/github-sim';
import { describe, expect, test } from 'vitest';
import { allowedMs, begin } from './testing/allowed.ts';
import { entry, fault, strike } from './testing/evidence.ts';

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

  test.each(['hang', 'hang-after', 'stall'])(
    'an answer that never ends (%s) excuses its deadline',
    (kind) => {
      expect(allowedMs([], [spoiled(begin, { fault: { kind } })])).toBe(76_500);
      const call = { route: 'createSession', fault: { kind } };
      expect(allowedMs([], [entry(begin, 'asked'), spoiled(begin, call)])).toBe(31_500);
    },
  );

  test('a poll that was held and never answered ends no row of failures', () => {
    const unanswered = [
      spoiled(begin - 900),
      spoiled(begin - 800, { fault: { kind: 'hang-after' } }),
      entry(begin - 800, 'held'),
    ];

    expect(allowedMs([], [...unanswered, spoiled(begin + 76_000)])).toBe(79_000);
  });

  test('an answer that says when to come again excuses that long', () => {
    const told = (status: number, retryAfterMs: number) => ({
      fault: { kind: 'status', status, retryAfterMs },
    });

    expect(allowedMs([], [spoiled(begin, told(429, 4_000))])).toBe(5_000);
    expect(allowedMs([], [spoiled(begin, told(429, 100))])).toBe(1_500);
    const call = { route: 'createSession', ...told(503, 3_000) };
    expect(allowedMs([], [entry(begin, 'asked'), spoiled(begin, call)])).toBe(5_000);
  });

  test('a scale set that was deleted is made again, and polled as one whose session ended', () => {
    const deleted = fault({ what: 'delete scale set', scaleSet: 'web', forMs: 0 }, begin);

    expect(allowedMs([deleted])).toBe(3_000);
    expect(
      allowedMs([
        {
          ...deleted,
          step: fault({ what: 'delete scale set', scaleSet: 'other', forMs: 0 }, begin).step,
        },
      ]),
    ).toBe(1_000);
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
    expect(allowedMs([], [spoiled(begin, token), asked(begin + 20_000)])).toBe(31_500);
    expect(allowedMs([], [spoiled(begin, { route: 'getScaleSet' })])).toBe(1_000);
  });

  test('a token that cannot be had again and again is not asked for at once by who wants it', () => {
    const failed = (at: number, by = 'listener-0') =>
      spoiled(at, { scaleSet: '', route: 'createRegistrationToken', by });
    const asked = entry(begin + 90_000, 'asked', { by: 'listener-0' });
    const row = [-4, -3, -2, -1, 0].map((index) => failed(begin + index * 1_000));

    expect(allowedMs([], [...row, asked])).toBe(39_000);
    expect(allowedMs([], [failed(begin - 9_000), ...row, asked])).toBe(46_000);
    expect(allowedMs([], [failed(begin - 65_000), ...row, asked])).toBe(39_000);
    expect(allowedMs([], [failed(begin - 9_000, 'listener-1'), ...row, asked])).toBe(39_000);
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

  test('admin tokens that end are had again, later when registration tokens had ended too', () => {
    const expire = (tokens: 'admin' | 'registration' | 'app', at: number) =>
      fault({ what: 'expire tokens', tokens, forMs: 0 }, at);
    const admin = expire('admin', begin);
    const registration = expire('registration', begin - 20_000);

    expect(allowedMs([admin])).toBe(3_000);
    expect(allowedMs([registration, admin])).toBe(6_000);
    expect(allowedMs([registration, expire('admin', begin - 10_000), admin])).toBe(3_000);
    expect(allowedMs([expire('app', begin)])).toBe(1_000);
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
