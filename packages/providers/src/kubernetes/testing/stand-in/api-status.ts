import type { Json } from '../admin-client.ts';

/** A refusal, as the API server words it. */
export class ApiStatus extends Error {
  readonly code: number;
  readonly reason: string | undefined;
  readonly details: Json | undefined;

  constructor(code: number, reason: string | undefined, message: string, details?: Json) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toJSON(): Json {
    const { code, reason, message, details } = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details ? { details } : {}),
      code,
    };
  }
}

export function notFound(resource: string, name: string): ApiStatus {
  const details = { name, kind: resource };
  return new ApiStatus(404, 'NotFound', `${resource} "${name}" not found`, details);
}

export function alreadyExists(resource: string, name: string): ApiStatus {
  const details = { name, kind: resource };
  return new ApiStatus(409, 'AlreadyExists', `${resource} "${name}" already exists`, details);
}

export function conflict(resource: string, name: string, why: string): ApiStatus {
  const message = `Operation cannot be fulfilled on ${resource} "${name}": ${why}`;
  return new ApiStatus(409, 'Conflict', message, { name, kind: resource });
}

export function forbidden(resource: string, name: string, why: string): ApiStatus {
  const details = { name, kind: resource };
  return new ApiStatus(403, 'Forbidden', `${resource} "${name}" is forbidden: ${why}`, details);
}

export function badRequest(message: string): ApiStatus {
  return new ApiStatus(400, 'BadRequest', message);
}

export function expired(message: string): ApiStatus {
  return new ApiStatus(410, 'Expired', message);
}

export interface Problem {
  /** `spec.containers[0].image`. */
  field: string;
  /** `Required value`. */
  message: string;
}

export function invalid(kind: string, name: string, problems: readonly Problem[]): ApiStatus {
  const texts = problems.map(({ field, message }) => `${field}: ${message}`);
  const said = texts.length === 1 ? texts.join() : `[${texts.join(', ')}]`;
  const causes = problems.map(({ field, message }) => ({ reason: 'FieldValue', field, message }));
  const details = { name, kind, causes };
  return new ApiStatus(422, 'Invalid', `${kind} "${name}" is invalid: ${said}`, details);
}
