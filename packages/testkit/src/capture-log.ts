import type { Logger } from '@baton/shared/telemetry';
import { pino } from 'pino';

type LogLine = Record<string, unknown> & { msg?: string };

interface CapturedLog {
  log: Logger;
  /** Everything that was logged, in order; grows as it goes on. */
  readonly lines: readonly LogLine[];
  /** The messages alone. */
  readonly messages: readonly (string | undefined)[];
}

/** A logger that keeps what it is told, at every level. */
export function captureLog(): CapturedLog {
  const lines: LogLine[] = [];
  const messages: (string | undefined)[] = [];
  const write = (text: string) => {
    const line = JSON.parse(text) as LogLine;
    lines.push(line);
    messages.push(line.msg);
  };
  return {
    log: pino({ level: 'trace', base: null, timestamp: false }, { write }),
    lines,
    messages,
  };
}
