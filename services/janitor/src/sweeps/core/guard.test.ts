import type { SweepHold } from '@baton/shared/contracts';
import { aRunner } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { markOf } from '../testing/missing.ts';
import { guard, recentOf, withoutMarked } from './guard.ts';

const nowMs = Date.UTC(2026, 0, 1, 12);
const ago = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString();
const limits = { max: 10, share: 0.3 };

const lost = (n: number, from = 1) =>
  Array.from({ length: n }, (_, i) =>
    markOf(aRunner({ runnerId: `r${from + i}`, state: 'idle' }), {
      reason: 'lost',
      gate: 'github',
    }),
  );
const ids = (n: number, from = 1) => Array.from({ length: n }, (_, i) => `r${from + i}`);
const orphan = (runnerId: string) =>
  markOf(aRunner({ runnerId, state: 'idle' }), { reason: 'orphan', gate: 'github' });

function aHold(part: Partial<SweepHold> = {}): SweepHold {
  const runnerIds = part.runnerIds ?? ids(20);
  return {
    ...{ id: 'h1', since: ago(5), count: runnerIds.length, of: 50, text: 'many', runnerIds },
    ...part,
  };
}

function judge(
  findings: Parameters<typeof guard>[0]['findings'],
  known: Partial<Parameters<typeof guard>[1]> & { lookedAt?: number; guarded?: boolean } = {},
) {
  const { lookedAt = 50, guarded = true, ...rest } = known;
  const standing = { recent: [], hold: undefined, confirmation: undefined };
  return guard(
    { guarded, findings, lookedAt },
    { ...standing, limits, nowMs, newId: 'h2', complete: true, ...rest },
  );
}

describe('guard', () => {
  test.each([
    ['the least number, of however few', 10, 10, 10],
    ['the share, when that is more', 30, 100, 30],
    ['nothing of what is one more', 31, 100, 0],
    ['nothing of all there is', 11, 11, 0],
  ])('lets go %s', (_what, found, lookedAt, free) => {
    const verdict = judge(lost(found), { lookedAt });

    expect(verdict.free).toHaveLength(free);
    expect(verdict.held).toHaveLength(found - free);
    expect(verdict.hold?.runnerIds).toEqual(free === 0 ? ids(found) : undefined);
  });

  test('counts what went within the hour, and forgets what went before', () => {
    const recent = [
      { at: ago(61), count: 1_000 },
      { at: ago(59), count: 4 },
      { at: ago(1), count: 3 },
    ];

    expect(judge(lost(3), { recent, lookedAt: 5 }).free).toHaveLength(3);
    expect(judge(lost(4), { recent, lookedAt: 5 }).held).toHaveLength(4);
    expect(recentOf(recent, nowMs)).toHaveLength(2);
  });

  test('says of how many how many would go', () => {
    expect(judge(lost(40), { lookedAt: 80 }).hold).toEqual({
      id: 'h2',
      since: new Date(nowMs).toISOString(),
      count: 40,
      of: 80,
      runnerIds: ids(40),
      text: '40 of 80 would be marked (50 %), more than may go within an hour',
    });
  });

  test('lets everything go of a sweep that is not guarded, but for orphans', () => {
    const verdict = judge([...lost(40), orphan('o1')], { guarded: false });

    expect(verdict.free).toHaveLength(40);
    expect(verdict.hold).toMatchObject({ count: 1, runnerIds: ['o1'] });
  });

  test('holds an orphan however few there are, and the others not because of it', () => {
    const verdict = judge([orphan('o1'), ...lost(2)]);

    expect(verdict.free).toHaveLength(2);
    expect(verdict.hold?.text).toContain('no scale set declares');
  });

  test('does what is confirmed and still found, and none but that', () => {
    const confirmation = { holdId: 'h1' };
    const found = [...lost(15), ...lost(20, 21)];

    const verdict = judge(found, { hold: aHold(), confirmation });

    expect(verdict.free).toEqual(lost(15));
    expect(verdict.held).toEqual(lost(20, 21));
    expect([...verdict.confirmed]).toEqual(ids(15));
  });

  test('a confirmation of another hold frees nobody', () => {
    const verdict = judge(lost(20), { hold: aHold(), confirmation: { holdId: 'h0' } });

    expect(verdict.free).toEqual([]);
    expect(verdict.hold?.id).toBe('h1');
  });

  test('what is confirmed does not use up what may go without', () => {
    const known = { hold: aHold(), confirmation: { holdId: 'h1' } };

    expect(judge([...lost(20), ...lost(10, 21)], known).free).toHaveLength(30);
  });

  test('a hold stays the same while it becomes smaller, and is another when others come', () => {
    const smaller = judge(lost(18), { hold: aHold() }).hold;
    const other = judge([...lost(18), ...lost(1, 90)], { hold: aHold() }).hold;

    expect(smaller).toMatchObject({ id: 'h1', since: ago(5), count: 18, runnerIds: ids(18) });
    expect(other).toMatchObject({ id: 'h2', count: 19 });
  });

  test('a confirmed hold stays the same when others come, until it is worked off', () => {
    const known = { hold: aHold(), confirmation: { holdId: 'h1' } };
    const found = [...lost(12), ...lost(30, 100)];

    const during = judge(found, known);
    const afterwards = judge(lost(30, 100), known);

    expect(during.hold).toMatchObject({ id: 'h1', runnerIds: ids(12) });
    expect(during.held).toHaveLength(30);
    expect(afterwards.hold).toMatchObject({ id: 'h2', count: 30 });
  });

  test('a hold ends when nothing of it is found any more, or so little that it may go', () => {
    expect(judge([], { hold: aHold() }).hold).toBeUndefined();
    expect(judge(lost(3), { hold: aHold() })).toMatchObject({ hold: undefined, held: [] });
  });

  test('a hold does not end because a list is missing', () => {
    const hold = aHold();

    expect(judge([], { hold, complete: false }).hold).toEqual(hold);
    expect(judge(lost(14), { hold, complete: false }).hold).toEqual(hold);
    expect(judge(lost(30), { hold, complete: false }).hold?.id).toBe('h2');
  });
});

describe('withoutMarked', () => {
  test('leaves out who is marked, and ends with the last', () => {
    const hold = aHold({ runnerIds: ['r1', 'r2'] });

    expect(withoutMarked(hold, new Set(['r1']))).toMatchObject({ count: 1, runnerIds: ['r2'] });
    expect(withoutMarked(hold, new Set(['r1', 'r2']))).toBeUndefined();
    expect(withoutMarked(undefined, new Set())).toBeUndefined();
  });
});
