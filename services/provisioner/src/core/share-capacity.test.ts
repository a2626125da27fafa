import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Sharer, shareCapacity, shareOf } from './share-capacity.ts';

function aSharer(part: Partial<Sharer> & { scaleSetId: string }): Sharer {
  return { weight: 1, maxRunners: 100, alive: 0, asked: 0, assigned: 0, published: 0, ...part };
}

/** One whose jobs fill all that it has said. */
function full(scaleSetId: string, part: Partial<Sharer> = {}): Sharer {
  const alive = part.alive ?? 0;
  return aSharer({ scaleSetId, asked: alive + 1, assigned: alive + 1, ...part });
}

const shares = (sharers: Sharer[], free: number) => [...shareCapacity(sharers, free).values()];

describe('shareCapacity', () => {
  test.each([
    {
      what: 'idle ones share equally',
      sharers: [aSharer({ scaleSetId: 'a' }), aSharer({ scaleSetId: 'b' })],
      free: 10,
      expected: [5, 5],
    },
    {
      what: 'a weight of 3 has three times as much',
      sharers: [full('a', { weight: 3 }), full('b')],
      free: 8,
      expected: [6, 2],
    },
    {
      what: 'one that needs nothing keeps room for one job',
      sharers: [full('a'), aSharer({ scaleSetId: 'b' })],
      free: 10,
      expected: [9, 1],
    },
    {
      what: 'who has runners waits for who has none',
      sharers: [full('a', { alive: 8 }), full('b')],
      free: 6,
      expected: [0, 6],
    },
    {
      what: 'the rest goes by name',
      sharers: [full('a'), full('b'), full('c')],
      free: 5,
      expected: [2, 2, 1],
    },
    {
      what: 'nobody has more than maxRunners',
      sharers: [full('a', { maxRunners: 2 }), full('b')],
      free: 10,
      expected: [2, 8],
    },
    {
      what: 'nothing is shared when nothing is free',
      sharers: [full('a'), full('b')],
      free: 0,
      expected: [0, 0],
    },
  ])('$what', ({ sharers, free, expected }) => {
    expect(shares(sharers, free)).toEqual(expected);
  });
});

const sharers = fc
  .array(
    fc.record({
      weight: fc.constantFrom(0.01, 0.5, 1, 3, 1_000),
      maxRunners: fc.integer({ min: 0, max: 30 }),
      alive: fc.integer({ min: 0, max: 12 }),
      asked: fc.integer({ min: 0, max: 40 }),
      assigned: fc.integer({ min: 0, max: 40 }),
      published: fc.integer({ min: 0, max: 12 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) => list.map((part, n) => ({ scaleSetId: `set${n}`, ...part })));
const frees = fc.integer({ min: 0, max: 60 });

describe('whatever is asked for, the shares', () => {
  test('are whole, no more than what is free, and leave nothing that somebody could use', () => {
    fc.assert(
      fc.property(sharers, frees, (list, free) => {
        const given = shareCapacity(list, free);
        const total = [...given.values()].reduce((all, one) => all + one, 0);
        const room = list.map(({ maxRunners, alive }) => Math.max(0, maxRunners - alive));

        for (const [n, { scaleSetId }] of list.entries()) {
          const share = given.get(scaleSetId) ?? -1;
          expect(Number.isInteger(share)).toBe(true);
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(room[n] ?? 0);
        }
        expect(total).toBe(
          Math.min(
            free,
            room.reduce((all, one) => all + one, 0),
          ),
        );
      }),
    );
  });

  test('come to everybody in turn where there are more scale sets than places', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 10 }),
        (count, free) => {
          const idle = { weight: 1, maxRunners: 10, alive: 0, asked: 0, assigned: 0, published: 0 };
          const sharers = Array.from({ length: count }, (_, n) => ({
            ...idle,
            scaleSetId: `s${n}`,
          }));
          const served = new Set<string>();

          for (let turn = 0; turn < 3 * Math.ceil(count / free); turn += 1) {
            const shares = shareCapacity(sharers, free, turn);
            for (const [scaleSetId, share] of shares) if (share > 0) served.add(scaleSetId);
          }

          expect(served.size).toBe(count);
        },
      ),
    );
  });

  test('do not depend on the order', () => {
    fc.assert(
      fc.property(sharers, frees, (list, free) => {
        expect(shareCapacity(list.toReversed(), free)).toEqual(shareCapacity(list, free));
      }),
    );
  });

  test('are never told to GitHub beyond what is free, in whatever order they are published', () => {
    const turns = fc.array(fc.nat(7), { maxLength: 30 });
    fc.assert(
      fc.property(sharers, frees, turns, (list, free, order) => {
        let now = list.map((one) => ({ ...one, published: 0 }));
        for (const turn of order) {
          const one = now[turn % now.length];
          if (!one) continue;
          const { told } = shareOf(one.scaleSetId, now, free);
          now = now.map((other) => (other === one ? { ...other, published: told } : other));

          expect(now.reduce((all, { published }) => all + published, 0)).toBeLessThanOrEqual(free);
        }
      }),
    );
  });

  test('shrink for who is full within two rounds of plans', () => {
    const waiting = (published: number) => full('a', { assigned: published + 5, published });
    const idle = aSharer({ scaleSetId: 'b', published: 10 });

    const first = shareOf('a', [waiting(0), idle], 10);
    const given = shareOf('b', [waiting(0), idle], 10);
    const second = shareOf('a', [waiting(0), { ...idle, published: given.told }], 10);

    expect(first).toEqual({ free: 9, told: 0 });
    expect(given.told).toBe(1);
    expect(second.told).toBe(9);
  });
});
