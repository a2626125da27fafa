import { type Logger as PinoLogger, pino } from 'pino';
import { demote, shownError } from './passing-trouble.ts';

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
      ...(pretty
        ? { transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid' } } }
        : {}),
    },
    ...(pretty ? [] : [lines]),
  );
}

/** A logger that drops everything, for libraries used without one and for tests. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
