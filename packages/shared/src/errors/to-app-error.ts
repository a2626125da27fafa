import { AppError } from './app-error.ts';

/** Any thrown value as an `AppError`; what is one already is returned as it is. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError('unexpected', errorText(thrown), { cause: thrown });
}

/** One line that says what went wrong, with the chain of causes. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message || thrown.name;
  return thrown.cause instanceof Error ? `${own}: ${errorText(thrown.cause)}` : own;
}
