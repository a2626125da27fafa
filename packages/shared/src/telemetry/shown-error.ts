import { AppError, errorText } from '../errors/index.ts';

/** Errors in errors are followed so far. */
const deepest = 6;

/**
 * What a log shows of an error: what it is and what it says, never what it carries along, which may
 * be a request with its headers. A stack is for what nobody expects; trouble that passes by itself is
 * told in one line.
 */
export function shownError(error: unknown): unknown {
  return shown(error, 0);
}

function shown(error: unknown, depth: number): object {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const code = 'code' in error ? wordOf(error.code) : undefined;
  const known = { type: error.name, code, details: detailsOf(error) };
  if (error instanceof AppError && error.retryable) {
    return { ...known, message: errorText(error) };
  }
  const { message, stack, cause } = error;
  const others = error instanceof AggregateError ? error.errors.slice(0, 3) : [];
  const deeper = (one: unknown) => shown(one, depth + 1);
  return {
    ...known,
    message,
    stack,
    ...(cause === undefined || depth >= deepest ? {} : { cause: deeper(cause) }),
    ...(others.length === 0 || depth >= deepest ? {} : { errors: others.map(deeper) }),
  };
}

function detailsOf(error: Error): object | undefined {
  return error instanceof AppError && Object.keys(error.details).length > 0
    ? error.details
    : undefined;
}

function wordOf(code: unknown): string | number | undefined {
  return typeof code === 'string' || typeof code === 'number' ? code : undefined;
}

/** What fails because NATS is away is a detail: the connection itself tells of that. */
export function isTold(error: unknown): boolean {
  return error instanceof AppError && error.details.disconnected === true;
}
