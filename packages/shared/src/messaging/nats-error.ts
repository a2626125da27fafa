import { ErrorCode, NatsError } from 'nats';
import { AppError } from '../errors/index.ts';

/** JetStream's "wrong last sequence": somebody else wrote first. */
const wrongLastSequence = 10071;
/** JetStream answers that mean "it does not exist": stream, consumer, and message not found. */
const notFoundCodes = new Set([10014, 10037, 10059]);

/** Answers that trying again will not change. */
const refusals = new Set<string>([ErrorCode.MaxPayloadExceeded, ErrorCode.PermissionsViolation]);

export function isRevisionConflict(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.err_code === wrongLastSequence;
}

/** Whether nobody listens on the subject of a request: a fact, unlike a time-out. */
export function isNoResponders(error: unknown): boolean {
  return error instanceof NatsError && error.code === '503';
}

export function isMissing(error: unknown): boolean {
  if (!(error instanceof NatsError)) return false;
  const code = error.api_error?.err_code;
  return (code !== undefined && notFoundCodes.has(code)) || /not found/i.test(error.message);
}

/**
 * A NATS failure as an `AppError`; `what` says what was tried. With `nats` it says, for the log,
 * whether it failed because the connection was down.
 */
export function natsFailure(
  what: string,
  cause: unknown,
  nats?: { disturbed(): boolean },
): AppError {
  const retryable = !(cause instanceof NatsError && refusals.has(cause.code));
  const details = retryable && nats?.disturbed() ? { disconnected: true } : {};
  return new AppError('nats', `${what} failed${spoken(cause)}`, { retryable, cause, details });
}

/** In words, where the client says nothing but "503". */
function spoken(cause: unknown): string {
  if (!(cause instanceof NatsError) || cause.code !== '503') return '';
  return `: ${cause.api_error?.description ?? 'nobody answers'}`;
}

/** Whether a failure means that NATS takes nothing so large: no retry helps. */
export function isTooLarge(error: unknown): boolean {
  if (!(error instanceof AppError) || !(error.cause instanceof NatsError)) return false;
  return error.cause.code === ErrorCode.MaxPayloadExceeded.toString();
}
