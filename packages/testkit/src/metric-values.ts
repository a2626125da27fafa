import type { MetricSource } from '@baton/shared/telemetry';

/**
 * What a metric says now: its values by those of their labels, as they stand there, "linux busy"; of a
 * histogram how many there were. Throws when there is no metric of this name.
 */
export function metricValues(
  sources: readonly MetricSource[],
  name: string,
): Record<string, number> {
  const source = sources.find((one) => one.name === name);
  if (!source) throw new Error(`no metric ${name}`);
  const values =
    source.kind === 'histogram'
      ? [...source.read()].map(({ labels, counts }) => [labels, sum(counts)] as const)
      : [...source.read()].map(({ labels, value }) => [labels, value] as const);
  return Object.fromEntries(
    values.map(([labels, value]) => [Object.values(labels).join(' '), value]),
  );
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
