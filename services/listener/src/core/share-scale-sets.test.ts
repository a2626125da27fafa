import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { preferenceRank } from './share-scale-sets.ts';

const members = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), {
  minLength: 1,
  maxLength: 8,
});
const scaleSets = Array.from({ length: 300 }, (_, n) => `set-${n}`);

function ownerOf(scaleSet: string, identities: readonly string[]): string | undefined {
  return identities.find((own) => preferenceRank(scaleSet, own, identities) === 0);
}

describe('preferenceRank', () => {
  test('gives each listener a rank of its own, beginning with 0', () => {
    fc.assert(
      fc.property(members, fc.string(), (identities, scaleSet) => {
        const ranks = identities.map((own) => preferenceRank(scaleSet, own, identities));

        expect(ranks.sort((a, b) => a - b)).toEqual(identities.map((_, rank) => rank));
      }),
    );
  });

  test('does not depend on the order in which the members are listed', () => {
    fc.assert(
      fc.property(members, fc.string(), (identities, scaleSet) => {
        const [own = ''] = identities;

        const rank = preferenceRank(scaleSet, own, identities);

        expect(preferenceRank(scaleSet, own, [...identities].reverse())).toBe(rank);
      }),
    );
  });

  test('one that leaves moves only the scale sets that it had', () => {
    fc.assert(
      fc.property(members, ([left = '', ...rest]) => {
        fc.pre(rest.length > 0);
        const before = [left, ...rest];

        const moved = scaleSets.filter((set) => ownerOf(set, before) !== ownerOf(set, rest));

        expect(moved).toEqual(scaleSets.filter((set) => ownerOf(set, before) === left));
      }),
      { numRuns: 10 },
    );
  });

  test('shares the scale sets out about evenly', () => {
    const identities = ['listener-0', 'listener-1', 'listener-2'];

    const counts = identities.map(
      (own) => scaleSets.filter((set) => ownerOf(set, identities) === own).length,
    );

    expect(Math.min(...counts)).toBeGreaterThan(70);
  });

  test('one that is not listed yet ranks as it will', () => {
    expect(preferenceRank('set', 'new', [])).toBe(0);
    expect(preferenceRank('set', 'new', ['a', 'b'])).toBe(
      preferenceRank('set', 'new', ['a', 'new', 'b']),
    );
  });
});
