import { type Range, rangeOf } from '../measure/percentiles.ts';

/** Each round's figure divided by the figure of the same round without traces. */
export function ratioOf(figures: readonly number[], without: readonly number[]): Range {
  return rangeOf(figures.map((figure, round) => figure / (without[round] ?? Number.NaN)));
}
