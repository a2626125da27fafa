import type { Metrics } from '@baton/shared/telemetry';

/** What a metric says of one set of labels: a number, or how often and how long in seconds; else undefined. */
export function measured(
  { sources }: Metrics,
  name: string,
  labels: Record<string, string> = {},
): number | { count: number; sum: number } | undefined {
  const source = sources.find((one) => one.name === name);
  if (!source) throw new Error(`there is no metric ${name}`);
  const isIt = (one: { labels: Record<string, string> }) =>
    Object.entries(labels).every(([label, value]) => one.labels[label] === value);
  if (source.kind !== 'histogram') return [...source.read()].find(isIt)?.value;
  const found = [...source.read()].find(isIt);
  return found && { count: found.counts.reduce((all, one) => all + one, 0), sum: found.sum };
}
