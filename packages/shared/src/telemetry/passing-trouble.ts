import { type LogFn, type Logger, stdSerializers } from 'pino';
import { AppError, errorText } from '../errors/index.ts';

/** A stack is for what nobody expects; trouble that passes by itself is told in one line. */
export function shownError(error: unknown): unknown {
  if (!(error instanceof AppError && error.retryable)) {
    return error instanceof Error ? stdSerializers.errWithCause(error) : error;
  }
  const { name: type, code, details } = error;
  return { type, code, message: errorText(error), details };
}

/** What fails because NATS is away is a detail: the connection itself tells of that. */
export function demote(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const [fields] = args;
  const err = typeof fields === 'object' && fields !== null && 'err' in fields && fields.err;
  const told = err instanceof AppError && err.details.disconnected === true;
  if (!told || level <= (this.levels.values.debug ?? 0)) method.apply(this, args);
  else this.debug(...args);
}
