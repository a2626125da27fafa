const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** "90s", "10m", "1h" in ms; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  const [, amount, unit] = match ?? [];
  if (unit !== 'ms' && unit !== 's' && unit !== 'm' && unit !== 'h') return undefined;
  return Number(amount) * unitMs[unit];
}

/** A time span for people, in its two largest units: "45s", "3m12s", "2h5m", "4d3h". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds}s`;
  if (hours === 0) return joined(minutes, 'm', seconds % 60, 's');
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'm');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return `${large}${largeUnit}${small > 0 ? `${small}${smallUnit}` : ''}`;
}
