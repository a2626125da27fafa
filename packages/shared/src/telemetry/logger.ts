import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { LogFields } from './log-fields.ts';
import { type LogComponent, LogLevels, logRanks, type Threshold } from './log-levels.ts';
import { isTold, shownError } from './shown-error.ts';
import { activeTraceparent } from './spans.ts';

/** Fields that are not declared do not compile, wherever they come from. */
type Undeclared<F> = { [K in Exclude<keyof F, keyof LogFields>]: never };

interface LogMethod {
  (event: string): void;
  <F extends object>(fields: F & LogFields & Undeclared<F>, event: string): void;
}

/**
 * What happened: `event` is a constant text in lower case that names it, all values are fields. Levels
 * are said in docs/logs.md.
 */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** The process ends. Written at once. */
  readonly fatal: LogMethod;
  /** A logger whose lines have these fields too. With `component` it follows that one's level. */
  child<F extends object>(fields: F & LogFields & Undeclared<F>): Logger;
  /** Writes what waits. */
  flush(): void;
}

interface LoggerOptions {
  service: string;
  instance: string;
  levels: LogLevels;
  /** Readable lines for a terminal instead of JSON. */
  pretty?: boolean;
  /** Given what writes the lines of the last moment: to be called when the process exits. */
  onExit?: (flush: () => void) => void;
  /** Where lines go instead of stderr. */
  to?: DestinationStream;
}

/** Lines are written together, this often at the least, in ms, and when there are so many bytes. */
const together = { periodicFlush: 100, minLength: 4_096 };

/**
 * A logger that writes to stderr, so that stdout stays free for results. With `onExit`, lines are
 * written together: each alone costs a system call, and a wait where its reader is slow.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service, instance, levels, pretty } = options;
  const lines = pretty ? undefined : (options.to ?? stderrLines(options));
  const out = pino(
    {
      // The levels of components decide.
      level: 'debug',
      base: { service, instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: shownError },
      mixin: activeIds,
      ...(pretty
        ? { transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid' } } }
        : {}),
    },
    ...(lines ? [lines] : []),
  );
  return new LeveledLogger({ out, levels }, { component: 'process' });
}

function stderrLines({ onExit }: LoggerOptions): DestinationStream {
  const lines = pino.destination({ dest: 2, sync: true, ...(onExit ? together : {}) });
  onExit?.(() => lines.flushSync());
  return lines;
}

/** Where the active span is found; nothing when there is none. */
function activeIds(): { traceId?: string; spanId?: string } {
  const traceparent = activeTraceparent();
  if (traceparent === undefined) return {};
  return { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };
}

/** A logger that drops everything, for libraries used without one and for tests. */
export function silentLogger(): Logger {
  const levels = new LogLevels({ all: 'silent', components: {} });
  return new LeveledLogger({ out: pino({ level: 'silent' }), levels }, { component: 'process' });
}

interface Written {
  out: PinoLogger;
  levels: LogLevels;
}

type Bound = LogFields & { component: LogComponent };
type Rank = keyof typeof logRanks;

/**
 * Not a child of pino's: that one copies its level when it is made, so that no later change reaches it,
 * and is ten times as large. A line that is not shown costs one comparison.
 */
class LeveledLogger implements Logger {
  readonly #written: Written;
  readonly #bound: Bound;
  readonly #threshold: Threshold;

  constructor(written: Written, bound: Bound) {
    this.#written = written;
    this.#bound = bound;
    this.#threshold = written.levels.threshold(bound.component);
  }

  debug(first: LogFields | string, event?: string): void {
    if (logRanks.debug >= this.#threshold.rank) this.#write('debug', first, event);
  }

  info(first: LogFields | string, event?: string): void {
    if (logRanks.info >= this.#threshold.rank) this.#write('info', first, event);
  }

  warn(first: LogFields | string, event?: string): void {
    if (logRanks.warn >= this.#threshold.rank) this.#write('warn', first, event);
  }

  error(first: LogFields | string, event?: string): void {
    if (logRanks.error >= this.#threshold.rank) this.#write('error', first, event);
  }

  fatal(first: LogFields | string, event?: string): void {
    if (logRanks.fatal >= this.#threshold.rank) this.#write('fatal', first, event);
  }

  child(fields: LogFields): Logger {
    const component = fields.component ?? this.#bound.component;
    return new LeveledLogger(this.#written, { ...this.#bound, ...fields, component });
  }

  flush(): void {
    this.#written.out.flush();
  }

  #write(level: Rank, first: LogFields | string, event: string | undefined): void {
    const fields = typeof first === 'string' ? undefined : first;
    const shown = isTold(fields?.err) ? 'debug' : level;
    if (logRanks[shown] < this.#threshold.rank) return;
    const text = typeof first === 'string' ? first : event;
    this.#written.out[shown]({ ...this.#bound, ...fields }, text);
  }
}
