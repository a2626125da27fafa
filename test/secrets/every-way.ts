import { format, inspect } from 'node:util';
import { createLogger, type Logger, LogLevels, logComponents } from '@baton/shared/telemetry';
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

const levels = ['debug', 'info', 'warn', 'error', 'fatal'] as const;

/** A value as every way of printing shows it that anybody might think of. */
export function printed(value: unknown): string {
  const nested = new Error('it went wrong', { cause: new Error('because', { cause: value }) });
  const some = { value, list: [value], deep: { in: { it: value } } };
  return [
    logged((log) => {
      for (const level of levels) {
        log[level]({ err: value }, 'event');
        log[level]({ err: nested }, 'event');
        log.child({ err: value })[level]('event');
      }
    }),
    ofPino(some),
    ofPino({ err: value, error: nested }),
    `${String(value)} ${format('%s %o %O %j %d', value, value, value, value, value)}`,
    inspect(some, { depth: Infinity, showHidden: true, getters: true }),
    inspect(nested, { depth: Infinity, showHidden: true, getters: true }),
    JSON.stringify(some),
    JSON.stringify(typeof value === 'object' && value !== null ? Object.entries(value) : ''),
    value instanceof Error ? `${value.message} ${value.stack}` : '',
  ].join('\n');
}

/** What our logger writes at its lowest level, as JSON and as a terminal shows it. */
export function logged(work: (log: Logger) => void): string {
  const lines: string[] = [];
  const components = Object.fromEntries(logComponents.map((name) => [name, 'debug' as const]));
  const setting = new LogLevels({ all: 'debug', components });
  const to = { write: (line: string) => void lines.push(line) };
  work(createLogger({ service: 'test', instance: 'test-0', levels: setting, to }));
  return both(lines);
}

/** What pino would write by itself, if somebody logged the value whole. */
function ofPino(fields: object): string {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  for (const level of [...levels, 'trace'] as const) {
    log[level](fields, 'event %s %o %j', fields, fields, fields);
    log.child(fields)[level]('event');
  }
  return both(lines);
}

function both(lines: readonly string[]): string {
  const pretty = prettyFactory({ colorize: false });
  return [...lines, ...lines.map((line) => String(pretty(line)))].join('');
}
