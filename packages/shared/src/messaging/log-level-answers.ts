import {
  componentsOf,
  type LogLevelAnswer,
  type LogLevelRequest,
  logLevelRequestSchema,
  logLevelSubject,
} from '../contracts/index.ts';
import type { Logger, LogLevels } from '../telemetry/index.ts';
import type { Nats } from './connect.ts';

interface AnswerOptions {
  service: string;
  holder: { identity: string; incarnation: string };
  log: Logger;
  levels: LogLevels;
}

/**
 * Says which levels the log of this process has, and changes them when that is asked for, until the
 * connection closes. Safe to repeat: a change is for a time from its arrival.
 */
export function answerLogLevels(nats: Nats, options: AnswerOptions): void {
  const { service, holder, levels } = options;
  const { identity, incarnation } = holder;
  nats.connection.subscribe(logLevelSubject, {
    callback: (error, message) => {
      const request = error ? undefined : readRequest(message.string());
      if (!request || (request.service ?? service) !== service) return;
      if ((request.instance ?? identity) !== identity) return;
      change(nats, options, request);
      const answer: LogLevelAnswer = {
        ...{ v: 1, service, identity, incarnation },
        levels: levels.current,
      };
      if (!nats.connection.isClosed()) message.respond(JSON.stringify(answer));
    },
  });
}

function change({ clock }: Nats, { log, levels }: AnswerOptions, request: LogLevelRequest): void {
  if (request.kind === 'list') return;
  const components = componentsOf(request);
  if (request.kind === 'reset') levels.reset(components);
  else levels.change(components, { ...request, clock });
  const { kind } = request;
  const to = request.kind === 'set' ? request.level : undefined;
  log.info({ kind, components, to }, 'log levels change');
}

function readRequest(text: string): LogLevelRequest | undefined {
  try {
    return logLevelRequestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
