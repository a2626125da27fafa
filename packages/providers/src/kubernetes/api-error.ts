import { errorText, TimeoutError } from '@baton/shared/errors';
import { ProviderError, type ProviderErrorClass } from '../provider-error.ts';
import { type Status, statusSchema } from './api-schemas.ts';

interface ApiErrorOptions {
  status: number;
  reason?: string | undefined;
  retryAfterMs?: number | undefined;
}

/** The API server refused a call; the text is its own. */
export class KubernetesApiError extends ProviderError {
  readonly status: number;
  /** Kubernetes' word for it: `AlreadyExists`, `Conflict`, `Expired`. */
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(errorClass: ProviderErrorClass, message: string, options: ApiErrorOptions) {
    const { status, reason } = options;
    super(errorClass, message, { details: { status, reason } });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

interface Answer {
  /** What was asked, for people: "create pod". */
  what: string;
  status: number;
  text: string;
  /** The header, in seconds. */
  retryAfter?: string | undefined;
}

/** An answer that is no success, as an error. Pure. */
export function errorFromAnswer({ what, status, text, retryAfter }: Answer): KubernetesApiError {
  const body = parseStatus(text);
  const seconds = Number(retryAfter ?? body?.details?.retryAfterSeconds ?? Number.NaN);
  const said = body?.message ?? `the API server answered ${status}`;
  return new KubernetesApiError(classOf(status, body), `${what}: ${said}`, {
    status,
    reason: body?.reason ?? undefined,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

/** No answer: the way to the API server, its certificate, the plugin that gets a token. */
export function errorFromFailure(what: string, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const said = error instanceof TimeoutError ? error.message : `${what}: ${errorText(error)}`;
  return new ProviderError('transient', said, { cause: error });
}

function parseStatus(text: string): Status | undefined {
  try {
    return statusSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function classOf(status: number, body: Status | undefined): ProviderErrorClass {
  if (status === 403) return classOfForbidden(body);
  const byStatus: Record<number, ProviderErrorClass> = {
    400: 'invalid-settings',
    401: 'denied',
    404: 'not-found',
    413: 'invalid-settings',
    422: 'invalid-settings',
  };
  return byStatus[status] ?? 'transient';
}

/**
 * 403 has one reason, `Forbidden`, for four things; only the text tells them apart: a full quota, a
 * namespace that is being deleted, missing rights (`User "x" cannot create resource "pods" …`), and an
 * admission rule, such as Pod Security, that does not like the pod.
 */
function classOfForbidden(body: Status | undefined): ProviderErrorClass {
  const message = body?.message ?? '';
  const causes = body?.details?.causes?.map(({ reason }) => reason) ?? [];
  if (causes.includes('NamespaceTerminating')) return 'not-found';
  if (message.includes('exceeded quota')) return 'quota';
  if (message === '' || /cannot \S+ resource/.test(message)) return 'denied';
  return 'invalid-settings';
}
