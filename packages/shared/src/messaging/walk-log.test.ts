import { describe, expect, test } from 'vitest';
import { walkLog } from './walk-log.ts';

/** A log that holds these sequences, and how often it was asked. */
function logOf(sequences: readonly number[]) {
  const asked: number[] = [];
  const ask = async (from: number) => {
    asked.push(from);
    await Promise.resolve();
    const at = sequences.find((sequence) => sequence >= from);
    return at === undefined ? undefined : { at, read: () => at };
  };
  return { ask, asked };
}

describe('walkLog', () => {
  test.each([1, 3, 16])('with %i hands, each is found once', async (hands) => {
    for (const gap of [1, 2, 7, 50]) {
      const there = Array.from({ length: 40 }, (_, index) => 5 + index * gap);
      const { ask, asked } = logOf(there);

      const found = await walkLog({ from: 6, to: 5 + 20 * gap, hands }, ask);

      expect(found.toSorted((a, b) => a - b)).toEqual(there.slice(1, 21));
      // Beyond what is there, only who takes over part of a span asks in vain.
      expect(asked.length).toBeLessThanOrEqual(20 + 8 * hands);
    }
  });

  test('what is known is passed over and not read', async () => {
    const found = await walkLog({ from: 1, to: 4, hands: 2 }, (from) =>
      Promise.resolve(from === 2 ? { at: 2 } : { at: from, read: () => from }),
    );

    expect(found.toSorted((a, b) => a - b)).toEqual([1, 3, 4]);
  });

  test('asks nothing of an empty range', async () => {
    const { ask, asked } = logOf([1, 2, 3]);

    expect(await walkLog({ from: 4, to: 3, hands: 4 }, ask)).toEqual([]);
    expect(asked).toEqual([]);
  });
});
