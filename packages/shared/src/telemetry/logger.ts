import { type Logger as PinoLogger, pino } from 'pino';
import { demote, shownError } from './passing-trouble.ts';
import { activeTraceparent } from './spans.ts';

/** Structured logger: constant lower-case `msg`, values as fields. See pino. */
export type Logger = PinoLogger;

interface LoggerOptions {
  service: string;
  instance: string;
  level: string;
  /** Readable lines for a terminal instead of JSON. */
  pretty?: boolean;
  /** Given what writes the lines of the last moment: to be called when the process exits. */
  onExit?: (flush: () => void) => void;
}

/** Lines are written together, this often at the least, in ms, and when there are so many bytes. */
const together = { periodicFlush: 100, minLength: 4_096 };

/**
 * A logger that writes to stderr, so that stdout stays free for results. With `onExit`, lines are
 * written together: each alone costs a system call, and a wait where its reader is slow.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service, instance, level, pretty, onExit } = options;
  const lines = pino.destination({ dest: 2, sync: true, ...(onExit && !pretty ? together : {}) });
  onExit?.(() => lines.flushSync());
  return pino(
    {
      level,
      base: { service, instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: shownError },
      hooks: { logMethod: demote },
      mixin: activeIds,
      ...(pretty
        ? { transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid' } } }
        : {}),
    },
    ...(pretty ? [] : [lines]),
  );
}

/** Where the active span is found; nothing when there is none. */
function activeIds(): { traceId?: string; spanId?: string } {
  const traceparent = activeTraceparent();
  if (traceparent === undefined) return {};
  return { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };
}

/** A logger that drops everything, for libraries used without one and for tests. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
