import { mean, percentile } from '../measure/percentiles.ts';

/** A number at a time, in ms from the start. */
export interface Point {
  atMs: number;
  value: number;
}

/** What a number does over the measured time. */
export interface Trend {
  /** Medians of the first and of the last tenth. */
  first: number;
  last: number;
  most: number;
  slopePerHour: number;
}

/** What may come of noise: this share of the mean, or `least` where that is more. */
export interface Bound {
  share: number;
  least: number;
}

/** So many stretches of equal time are each one point of a fit. */
const stretches = 60;
const hourMs = 3_600_000;

/**
 * The slope is that of Theil and Sen: the median of the slopes between all pairs of points, so that neither
 * a burst nor a single step bends it. The points are medians of stretches: teeth of garbage collection that are
 * shorter than a stretch are gone by then, and an hour of samples is 60 points. NaN without points.
 */
export function trendOf(points: readonly Point[]): Trend {
  const values = points.map(({ value }) => value);
  const tenth = Math.max(1, Math.ceil(values.length / 10));
  return {
    first: percentile(values.slice(0, tenth), 0.5),
    last: percentile(values.slice(-tenth), 0.5),
    most: percentile(values, 1),
    slopePerHour: slopeOf(thinned(points)) * hourMs,
  };
}

/**
 * By how much the number grew over the measured time, by the fitted line; undefined where noise explains it.
 * What grows on does so in the second half as fast as in the whole, and its lows rise as its line does. So a
 * step (code that was loaded), a reservoir that has filled, and a saw-tooth (garbage) whose teeth are not
 * longer than a third of the time are no growth; a staircase is.
 */
export function growthOf(points: readonly Point[], bound: Bound): number | undefined {
  const thin = thinned(points);
  const lengthMs = (thin.at(-1)?.atMs ?? 0) - (thin[0]?.atMs ?? 0);
  const usual = mean(thin.map(({ value }) => value));
  const allowed = Math.max(bound.share * usual, bound.least);
  const growth = slopeOf(thin) * lengthMs;
  const lately = slopeOf(thin.slice(Math.floor(thin.length / 2))) * lengthMs;
  const third = Math.ceil(thin.length / 3);
  // The last third begins at two thirds of the growth.
  const lows = 1.5 * (lowOf(thin.slice(-third)) - lowOf(thin.slice(0, third)));
  return Math.min(growth, lately, lows) > allowed ? growth : undefined;
}

function lowOf(points: readonly Point[]): number {
  return percentile(
    points.map(({ value }) => value),
    0.1,
  );
}

function slopeOf(points: readonly Point[]): number {
  const slopes = points.flatMap((from, index) =>
    points.slice(index + 1).map((to) => (to.value - from.value) / (to.atMs - from.atMs)),
  );
  return slopes.length === 0 ? 0 : middle(slopes);
}

/** One point for each stretch that has any: the medians of its times and values. */
function thinned(points: readonly Point[]): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  const stretchMs = (last.atMs - first.atMs) / stretches || 1;
  const byStretch = Map.groupBy(points, ({ atMs }) =>
    Math.min(stretches - 1, Math.floor((atMs - first.atMs) / stretchMs)),
  );
  return [...byStretch.values()].map((some) => ({
    atMs: middle(some.map(({ atMs }) => atMs)),
    value: middle(some.map(({ value }) => value)),
  }));
}

/** Between the two in the middle, where there are two: else noise of two levels would look like a slope. */
function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}
