import { ProviderError, type ProviderErrorClass } from '../provider-error.ts';

/** The engine answered, but not with what was asked for. `message` is the engine's. */
export class EngineFailure extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineFailure';
    this.status = status;
  }
}

/** No answer, or half of one. Whether the engine did what was asked is not known. */
export class EngineUnreachable extends Error {
  constructor(cause: unknown) {
    super(`the Docker engine does not answer (${reasonOf(cause)})`, { cause });
    this.name = 'EngineUnreachable';
  }

  /** The system's or TLS's word for it, `EACCES`, `ECONNREFUSED`. */
  get reason(): string {
    return reasonOf(this.cause);
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

const noSpace = /no space left on device|disk quota exceeded|cannot allocate memory/i;
const notInImage =
  /executable file not found|no such file or directory: unknown|exec format error/i;

/** What a failed call means for the caller; `act` is what was being done. */
export function toProviderError(act: string, error: unknown): unknown {
  if (error instanceof EngineUnreachable)
    return providerError(isRefusal(error.reason) ? 'denied' : 'transient', act, error);
  if (error instanceof EngineFailure) return providerError(classOf(error), act, error);
  return error;
}

/** No rights to the socket, or certificates that one of both sides does not take. */
export function isRefusal(reason: string): boolean {
  return /^(EACCES|EPERM)$|CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(reason);
}

function classOf({ status, message }: EngineFailure): ProviderErrorClass {
  if (noSpace.test(message)) return 'quota';
  if (notInImage.test(message) || /no such image/i.test(message)) return 'image';
  if (status === 401 || status === 403 || /invalid mount config|runtime name/i.test(message))
    return 'denied';
  if (status === 400) return 'invalid-settings';
  // A container that is being removed cannot be started: for us it is gone.
  if (status === 404 || /marked for removal|being removed/i.test(message)) return 'not-found';
  return 'transient';
}

const notToBeHad =
  /unauthorized|authentication required|denied|forbidden|manifest unknown|name unknown|not found|no matching manifest|invalid reference|does not exist|unsupported|x509|HTTP response to HTTPS/i;
const passes = /toomanyrequests|too many requests|\b429\b/i;

/** Why an image could not be pulled. A registry that is away makes an image that cannot be had. */
export function pullFailure(image: string, error: unknown): unknown {
  if (error instanceof EngineUnreachable) return toProviderError(`pull image ${image}`, error);
  if (!(error instanceof EngineFailure)) return error;
  const text = `pull image ${image}`;
  if (noSpace.test(error.message)) return providerError('quota', text, error);
  if (passes.test(error.message)) return providerError('transient', text, error);
  const away = notToBeHad.test(error.message) ? '' : ' (its registry does not answer as it should)';
  return providerError('image', `${text}${away}`, error);
}

function providerError(errorClass: ProviderErrorClass, act: string, cause: Error): ProviderError {
  return new ProviderError(errorClass, `${act}: ${cause.message}`, { cause });
}
