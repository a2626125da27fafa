/** How measured times are spread, in ms with one decimal. */
export interface Spread {
  count: number;
  p50: number;
  p95: number;
  max: number;
}

/** The value below which this share (0 to 1) of the values lies: nearest rank. NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Undefined without values: nothing was measured. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return {
    count: values.length,
    p50: rounded(percentile(values, 0.5)),
    p95: rounded(percentile(values, 0.95)),
    max: rounded(percentile(values, 1)),
  };
}

/** Of several runs. */
export interface Range {
  median: number;
  min: number;
  max: number;
}

/** NaN without values. */
export function rangeOf(values: readonly number[]): Range {
  const at = (share: number) => significant(percentile(values, share), 4);
  return { median: at(0.5), min: at(0), max: at(1) };
}

/** How many times the floor a time or a cost is; of rates the floor is given first. Three digits. */
export function ratio(value: number, floor: number): number {
  return significant(value / floor);
}

/** To so many digits, wherever the point is. */
export function significant(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** To one decimal. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
