import type { LogLevelAnswer } from '@baton/shared/contracts';

/** The levels of one process, as `baton log-level -o json` prints them. */
export interface LogLevelView {
  service: string;
  instance: string;
  incarnation: string;
  levels: { component: string; level: string; configured: string; until: string | null }[];
}

/** Pure. */
export function logLevelView({
  service,
  identity,
  incarnation,
  levels,
}: LogLevelAnswer): LogLevelView {
  return {
    service,
    instance: identity,
    incarnation,
    levels: levels.map(({ component, level, configured, until = null }) => ({
      component,
      level,
      configured,
      until,
    })),
  };
}

/** Like `BATON_LOG_LEVEL`: the level of most components, then those that differ. Pure. */
export function levelsText({ levels }: LogLevelView): string {
  const common = mostFrequent(levels.map(({ level }) => level));
  const others = levels.filter(({ level }) => level !== common);
  return [common, ...others.map(({ component, level }) => `${component}=${level}`)].join(',');
}

/** What was changed and falls back, with the next time at which something does. Pure. */
export function changedText({ levels }: LogLevelView): string | null {
  const changed = levels.filter(({ until }) => until !== null);
  if (changed.length === 0) return null;
  const names =
    changed.length === levels.length ? ['all'] : changed.map(({ component }) => component);
  const until = changed.map((one) => one.until ?? '').toSorted()[0];
  return `${names.join(', ')} until ${until}`;
}

function mostFrequent(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}
