import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Absences, judgeAbsence } from './judge-absence.ts';

const patience = { ms: 10_000, mostMs: 60_000 };

/** Looks at the same ids again and again; each look lists some of them. Returns what each condemned. */
function judge(known: readonly string[], looks: readonly { atMs: number; listed: string[] }[]) {
  let absences: Absences = new Map();
  return looks.map(({ atMs, listed }) => {
    const look = { known, isListed: (id: string) => listed.includes(id), nowMs: atMs };
    const result = judgeAbsence(absences, look, patience);
    absences = result.absences;
    return result.gone;
  });
}

describe('judgeAbsence', () => {
  test('one list condemns nothing, however long ago the last one was', () => {
    expect(judge(['a'], [{ atMs: 900_000, listed: [] }])).toEqual([[]]);
  });

  test('two lists condemn what is missing in both, when they are far enough apart', () => {
    const gone = judge(
      ['a', 'b', 'c'],
      [
        { atMs: 0, listed: ['b', 'c'] },
        { atMs: 9_999, listed: ['b', 'c'] },
        { atMs: 10_000, listed: ['b', 'c'] },
      ],
    );

    expect(gone).toEqual([[], [], ['a']]);
  });

  test('what is listed in between begins anew', () => {
    const gone = judge(
      ['a'],
      [
        { atMs: 0, listed: [] },
        { atMs: 10_000, listed: ['a'] },
        { atMs: 20_000, listed: [] },
        { atMs: 29_999, listed: [] },
      ],
    );

    expect(gone.flat()).toEqual([]);
  });

  test('a list without most of four is believed only the third time, a minute later', () => {
    const known = ['a', 'b', 'c', 'd'];
    const at = (atMs: number) => ({ atMs, listed: ['d'] });

    expect(judge(known, [at(0), at(60_000)]).flat()).toEqual([]);
    expect(judge(known, [at(0), at(30_000), at(59_999)]).flat()).toEqual([]);
    expect(judge(known, [at(0), at(30_000), at(60_000)])).toEqual([[], [], ['a', 'b', 'c']]);
  });

  test('half of four, and all of three, are no more suspicious than one', () => {
    expect(
      judge(
        ['a', 'b', 'c', 'd'],
        [
          { atMs: 0, listed: ['c', 'd'] },
          { atMs: 10_000, listed: ['c', 'd'] },
        ],
      ).at(-1),
    ).toEqual(['a', 'b']);
    expect(
      judge(
        ['a', 'b', 'c'],
        [
          { atMs: 0, listed: [] },
          { atMs: 10_000, listed: [] },
        ],
      ).at(-1),
    ).toEqual(['a', 'b', 'c']);
  });

  test('never condemns what one of the last two lists has', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const looks = fc.array(fc.record({ afterMs: fc.nat(120_000), listed: fc.subarray(ids) }), {
      maxLength: 12,
    });

    fc.assert(
      fc.property(looks, (all) => {
        const timed = all.map(({ listed }, index) => ({
          atMs: all.slice(0, index + 1).reduce((sum, { afterMs }) => sum + afterMs, 0),
          listed,
        }));

        const condemned = judge(ids, timed);

        condemned.forEach((gone, index) => {
          const recent = timed.slice(Math.max(0, index - 1), index + 1);
          for (const id of gone) {
            expect(recent).toHaveLength(2);
            expect(recent.some(({ listed }) => listed.includes(id))).toBe(false);
          }
        });
      }),
    );
  });
});
