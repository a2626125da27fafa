import { percentile } from '../measure/percentiles.ts';

/** Ratios of several rounds, with three decimals. */
export interface Ratio {
  median: number;
  min: number;
  max: number;
}

/** Each round's figure divided by the figure of the same round without traces. */
export function ratioOf(figures: readonly number[], without: readonly number[]): Ratio {
  const ratios = figures.map((figure, round) => figure / (without[round] ?? Number.NaN));
  const at = (share: number) => Math.round(percentile(ratios, share) * 1_000) / 1_000;
  return { median: at(0.5), min: at(0), max: at(1) };
}
