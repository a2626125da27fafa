import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Hands, type LaneLoad, nextLane } from './next-lane.ts';

const hands: Hands = { total: 8, perScaleSet: 6 };
const aLane = (part: Partial<LaneLoad> = {}): LaneLoad => ({
  waiting: 1,
  running: 0,
  suspect: false,
  ...part,
});

describe('nextLane', () => {
  test.each<[string, LaneLoad[], number | undefined]>([
    ['the first in turn that has work', [aLane({ waiting: 0 }), aLane(), aLane()], 1],
    ['nobody when there is no work', [aLane({ waiting: 0 })], undefined],
    ['nobody when all hands are busy', [aLane({ waiting: 0, running: 8 }), aLane()], undefined],
    ['not who has all hands of a scale set', [aLane({ running: 6 }), aLane()], 1],
    ['not a second of a suspect', [aLane({ running: 1, suspect: true }), aLane()], 1],
    ['the first of a suspect', [aLane({ suspect: true })], 0],
    [
      'of the last quarter only who has none',
      [aLane({ running: 3 }), aLane({ running: 3 }), aLane()],
      2,
    ],
    ['whoever waits while more than a quarter is left', [aLane({ running: 5 }), aLane()], 0],
  ])('chooses %s', (_what, lanes, expected) => {
    expect(nextLane(lanes, hands)).toBe(expected);
  });

  test('any number of suspects leaves a hand to each that comes later', () => {
    const suspects = Array.from({ length: 50 }, () => aLane({ suspect: true }));
    const busy = suspects.map((lane, n) => (n < 6 ? { ...lane, waiting: 9, running: 1 } : lane));

    expect(nextLane(busy, hands)).toBeUndefined();
    expect(nextLane([...busy, aLane()], hands)).toBe(50);
  });

  test('one hand is enough to serve everybody in turn', () => {
    expect(nextLane([aLane()], { total: 1, perScaleSet: 1 })).toBe(0);
  });

  test('creates that never end leave a hand to whoever comes later, and are never too many', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 10 }),
        (total, work) => {
          const lanes = work.map((waiting) => ({ ...aLane({ waiting }) }));
          for (;;) {
            const index = nextLane(lanes, { total, perScaleSet: total });
            const lane = index === undefined ? undefined : lanes[index];
            if (index === undefined || !lane) break;
            lanes.push(...lanes.splice(index, 1));
            lane.waiting -= 1;
            lane.running += 1;
          }
          const busy = lanes.reduce((sum, { running }) => sum + running, 0);
          const late = nextLane([...lanes, aLane()], { total, perScaleSet: total });

          expect(busy).toBeLessThanOrEqual(total);
          if (lanes.length < total / 4) expect(late).toBe(lanes.length);
        },
      ),
    );
  });
});
