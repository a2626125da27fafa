import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { preferenceRank, preferredOwner, type Share } from './share-scale-sets.ts';

const identities = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), {
  minLength: 1,
  maxLength: 8,
});
const weighted = (identity: string, weight = 1): Share => ({ identity, weight });
const equals = (...names: readonly string[]) => names.map((name) => weighted(name));
const scaleSets = Array.from({ length: 300 }, (_, n) => `set-${n}`);

function countOf(identity: string, shares: readonly Share[]): number {
  return scaleSets.filter((set) => preferredOwner(set, shares) === identity).length;
}

describe('preferenceRank', () => {
  test('gives each listener a rank of its own, beginning with 0', () => {
    fc.assert(
      fc.property(identities, fc.string(), (names, scaleSet) => {
        const shares = equals(...names);

        const ranks = shares.map((own) => preferenceRank(scaleSet, own, shares));

        expect(ranks.sort((a, b) => a - b)).toEqual(names.map((_, rank) => rank));
      }),
    );
  });

  test('does not depend on the order in which the members are listed', () => {
    fc.assert(
      fc.property(identities, fc.string(), (names, scaleSet) => {
        const shares = equals(...names);
        const [own = weighted('')] = shares;

        const rank = preferenceRank(scaleSet, own, shares);

        expect(preferenceRank(scaleSet, own, [...shares].reverse())).toBe(rank);
      }),
    );
  });

  test('one that is not listed yet ranks as it will', () => {
    const own = weighted('new');

    expect(preferenceRank('set', own, [])).toBe(0);
    expect(preferenceRank('set', own, equals('a', 'b'))).toBe(
      preferenceRank('set', own, equals('a', 'new', 'b')),
    );
  });
});

describe('preferredOwner', () => {
  test('is nobody when nobody is there', () => {
    expect(preferredOwner('set', [])).toBeUndefined();
  });

  test('one that leaves moves only the scale sets that it had, and takes back only those', () => {
    fc.assert(
      fc.property(identities, ([left = '', ...rest]) => {
        fc.pre(rest.length > 0);
        const before = equals(left, ...rest);
        const after = equals(...rest);

        const moved = scaleSets.filter(
          (set) => preferredOwner(set, before) !== preferredOwner(set, after),
        );

        expect(moved).toEqual(scaleSets.filter((set) => preferredOwner(set, before) === left));
      }),
      { numRuns: 10 },
    );
  });

  test('shares the scale sets out about evenly', () => {
    const shares = equals('listener-0', 'listener-1', 'listener-2');

    const counts = shares.map(({ identity }) => countOf(identity, shares));

    expect(Math.min(...counts)).toBeGreaterThan(70);
  });

  test('gives one of three times the weight about three times as many', () => {
    const shares = [weighted('small'), weighted('large', 3)];

    expect(countOf('large', shares)).toBeGreaterThan(200);
    expect(countOf('small', shares)).toBeGreaterThan(50);
  });

  test('a growing weight takes scale sets from others and moves none between them', () => {
    const before = equals('a', 'b', 'c');
    const after = [weighted('a', 2), ...equals('b', 'c')];

    const moved = scaleSets.filter(
      (set) => preferredOwner(set, before) !== preferredOwner(set, after),
    );

    expect(moved.length).toBeGreaterThan(0);
    expect(moved.map((set) => preferredOwner(set, after))).toEqual(moved.map(() => 'a'));
  });
});
