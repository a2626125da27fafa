const units = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
] as const;

/**
 * The unit of a metric as OpenTelemetry has it (UCUM), told from its name. What is counted gets an
 * annotation, not `1`: Prometheus and the collector would call a gauge of unit `1` a ratio, and rename it.
 * Pure.
 */
export function unitOf(name: string): string {
  const base = name.replace(/_total$/, '');
  return units.find(([suffix]) => base.endsWith(suffix))?.[1] ?? '{count}';
}
