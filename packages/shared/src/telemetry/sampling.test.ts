import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideSampling } from './sampling.ts';

const traceIds = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const ratios = fc.double({ min: 0, max: 1, noNaN: true });
const low = `${'f'.repeat(18)}${'0'.repeat(14)}`;
const high = `${'0'.repeat(18)}${'f'.repeat(14)}`;

describe('decideSampling', () => {
  test.each([
    ['the first span of a trace, all', { parentBased: true, ratio: 1 }, low, undefined, true],
    ['the first span of a trace, none', { parentBased: true, ratio: 0 }, high, undefined, false],
    ['below a sampled parent', { parentBased: true, ratio: 0 }, high, { sampled: true }, true],
    ['below one that is not', { parentBased: true, ratio: 1 }, high, { sampled: false }, false],
    ['whatever its parent', { parentBased: false, ratio: 1 }, low, { sampled: false }, true],
    ['whatever its parent', { parentBased: false, ratio: 0 }, high, { sampled: true }, false],
    ['by the end of its id', { parentBased: false, ratio: 0.01 }, high, undefined, true],
    ['by the end of its id', { parentBased: false, ratio: 0.99 }, low, undefined, false],
  ])('%s', (_what, sampling, traceId, parent, expected) => {
    expect(decideSampling(sampling, traceId, parent)).toBe(expected);
  });

  test('what is told at a ratio is told at each higher one', () => {
    fc.assert(
      fc.property(traceIds, ratios, ratios, (traceId, one, other) => {
        const [lower, higher] = [Math.min(one, other), Math.max(one, other)];
        const at = (ratio: number) => decideSampling({ parentBased: false, ratio }, traceId);
        return !at(lower) || at(higher);
      }),
    );
  });

  test('tells the share that it is asked for', () => {
    const told = fc
      .sample(traceIds, { numRuns: 20_000, seed: 7 })
      .filter((traceId) => decideSampling({ parentBased: true, ratio: 0.1 }, traceId));

    expect(told.length / 20_000).toBeGreaterThan(0.05);
    expect(told.length / 20_000).toBeLessThan(0.2);
  });
});
