import type { Clock } from '../time/index.ts';

/** From the most to the least; `fatal` lines are shown at every level but `silent`. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a line is about; each component has a level of its own. See docs/logs.md. */
export const logComponents = [
  'process',
  'nats',
  'github',
  'session',
  'lease',
  'poll',
  'message',
  'plan',
  'create',
  'provider',
  'delete',
  'sweep',
  'health',
  'telemetry',
] as const;
export type LogComponent = (typeof logComponents)[number];

/** The level of every component: its own, or that of all. */
export interface LogSetting {
  all: LogLevel;
  components: Readonly<Partial<Record<LogComponent, LogLevel>>>;
}

/**
 * Reads `info,poll=debug`: a level for all, `info` when none is given, and levels of components. Of
 * two for the same the later holds. Undefined for anything else.
 */
export function parseLogSetting(text: string): LogSetting | undefined {
  const components: Partial<Record<LogComponent, LogLevel>> = {};
  let all: LogLevel = 'info';
  for (const part of text.split(',')) {
    const [first = '', second, more] = part.split('=').map((word) => word.trim());
    const level = logLevels.find((one) => one === (second ?? first));
    const component = logComponents.find((one) => one === first);
    if (level === undefined || more !== undefined) return undefined;
    if (second === undefined) all = level;
    else if (component === undefined) return undefined;
    else components[component] = level;
  }
  return { all, components };
}

/** What is shown: lines whose rank is not below it. Shared, so that a change reaches every logger. */
export interface Threshold {
  readonly rank: number;
}

/** The level of a component now; `until` when it is not the configured one. */
export interface ComponentLevel {
  component: LogComponent;
  level: LogLevel;
  configured: LogLevel;
  /** When it falls back to what is configured. */
  until?: string;
}

interface Component {
  readonly threshold: { rank: number };
  readonly configured: LogLevel;
  level: LogLevel;
  until: string | undefined;
  /** Ends the wait for the fall-back. */
  change: AbortController | undefined;
}

/** The levels of a process, by component; changes are for a time. */
export class LogLevels {
  readonly #components: ReadonlyMap<LogComponent, Component>;

  constructor({ all, components }: LogSetting) {
    this.#components = new Map(
      logComponents.map((name) => {
        const configured = components[name] ?? all;
        const threshold = { rank: rankOf(configured) };
        const unchanged = { until: undefined, change: undefined };
        return [name, { threshold, configured, level: configured, ...unchanged }] as const;
      }),
    );
  }

  /** Follows every change. */
  threshold(component: LogComponent): Threshold {
    return this.#component(component).threshold;
  }

  /**
   * Changes the level of these components for `forMs`; then what is configured holds again. A later
   * change takes the place of an earlier one.
   */
  change(names: readonly LogComponent[], change: { level: LogLevel; forMs: number; clock: Clock }) {
    const { level, forMs, clock } = change;
    const until = new Date(clock.now() + forMs).toISOString();
    for (const name of names) {
      const component = this.#component(name);
      const here = replaceChange(component);
      show(component, level, until);
      clock.sleep(forMs, here.signal).then(
        () => show(component, component.configured, undefined),
        () => undefined,
      );
    }
  }

  /** What is configured holds again for these components. */
  reset(names: readonly LogComponent[]): void {
    for (const name of names) {
      const component = this.#component(name);
      replaceChange(component);
      show(component, component.configured, undefined);
    }
  }

  get current(): ComponentLevel[] {
    return [...this.#components].map(([component, { level, configured, until }]) => ({
      component,
      level,
      configured,
      ...(until === undefined ? {} : { until }),
    }));
  }

  #component(name: LogComponent): Component {
    const found = this.#components.get(name);
    if (!found) throw new Error(`no component ${name}`);
    return found;
  }
}

function replaceChange(component: Component): AbortController {
  component.change?.abort();
  component.change = new AbortController();
  return component.change;
}

function show(component: Component, level: LogLevel, until: string | undefined): void {
  component.level = level;
  component.until = until;
  component.threshold.rank = rankOf(level);
}

/** As pino counts. */
export const logRanks = { debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

function rankOf(level: LogLevel): number {
  return level === 'silent' ? Number.POSITIVE_INFINITY : logRanks[level];
}
