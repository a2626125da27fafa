import { aDemand, aSessionRecord } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePositions, sessionRecordSchema } from './session-record.ts';

const positions = fc.record({
  epoch: fc.integer({ min: 0, max: 3 }),
  seq: fc.integer({ min: 0, max: 3 }),
});

describe('comparePositions', () => {
  test('a later epoch is later whatever the sequence', () => {
    expect(comparePositions({ epoch: 1, seq: 99 }, { epoch: 2, seq: 0 })).toBeLessThan(0);
    expect(comparePositions({ epoch: 2, seq: 1 }, { epoch: 2, seq: 0 })).toBeGreaterThan(0);
    expect(comparePositions({ epoch: 2, seq: 1 }, { epoch: 2, seq: 1 })).toBe(0);
  });

  test('is a total order', () => {
    fc.assert(
      fc.property(positions, positions, positions, (a, b, c) => {
        const [ab, bc, ac] = [
          comparePositions(a, b),
          comparePositions(b, c),
          comparePositions(a, c),
        ];

        expect(Math.sign(comparePositions(b, a)) + Math.sign(ab)).toBe(0);
        expect(ab === 0).toBe(a.epoch === b.epoch && a.seq === b.seq);
        if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('sessionRecordSchema', () => {
  test('keeps what a later version wrote, also in its parts', () => {
    const record = {
      ...aSessionRecord(),
      ring: [{ messageId: '9007199254740993', bodyHash: 'h', partial: true }],
      demand: { ...aDemand(), spare: 1 },
      region: 'eu',
    };

    expect(sessionRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });
});
