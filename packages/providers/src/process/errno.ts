import { ProviderError, type ProviderErrorClass } from '../provider-error.ts';

/** Whether a thrown value is a system error with one of these codes. */
export function hasErrno(error: unknown, ...codes: string[]): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    codes.includes(error.code)
  );
}

/** A system error as what it means for the caller; `act` is what was being done. */
export function toProviderError(act: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new ProviderError(classOf(error), act, { cause: error });
}

function classOf(error: Error): ProviderErrorClass {
  if (hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) return 'denied';
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) return 'quota';
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return 'not-found';
  return 'transient';
}
