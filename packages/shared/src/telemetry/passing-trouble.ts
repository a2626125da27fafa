import { pino } from 'pino';
import { AppError, errorText } from '../errors/index.ts';

/** A stack is for what nobody expects; trouble that passes by itself is told in one line. */
export function shownError(error: unknown): unknown {
  if (!(error instanceof AppError && error.retryable)) {
    return error instanceof Error ? pino.stdSerializers.errWithCause(error) : error;
  }
  const { name: type, code, details } = error;
  return { type, code, message: errorText(error), details };
}

/** What fails because NATS is away is a detail: the connection itself tells of that. */
export function isTold(error: unknown): boolean {
  return error instanceof AppError && error.details.disconnected === true;
}
