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
}

/** A logger that writes to stderr, so that stdout stays free for results. */
export function createLogger({ service, instance, level, pretty }: LoggerOptions): Logger {
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
    ...(pretty ? [] : [pino.destination({ dest: 2, sync: false })]),
  );
}

/** A logger that drops everything, for libraries used without one and for tests. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
