import { percentile, type Range, rangeOf, ratio, rounded } from '../measure/percentiles.ts';

/** From the answer to the poll to the provider's create: medians of the passes. */
export interface RateFigures {
  jobsPerS: number;
  /** In all passes. */
  runners: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  ranges: { p50Ms: Range; p99Ms: Range };
  /** To the floor's median. */
  ratios: { p50Ms: number; p99Ms: number };
}

/** `passes`: the times of each, in ms. */
export function rateFigures(
  jobsPerS: number,
  passes: readonly (readonly number[])[],
  floorMs: number,
): RateFigures {
  const p50Ms = rangeOf(passes.map((times) => percentile(times, 0.5)));
  const p99Ms = rangeOf(passes.map((times) => percentile(times, 0.99)));
  return {
    jobsPerS,
    runners: passes.flat().length,
    p50Ms: p50Ms.median,
    p99Ms: p99Ms.median,
    maxMs: rounded(percentile(passes.flat(), 1)),
    ranges: { p50Ms, p99Ms },
    ratios: { p50Ms: ratio(p50Ms.median, floorMs), p99Ms: ratio(p99Ms.median, floorMs) },
  };
}
