/**
 * What went wrong, as a stable word for code, logs and metrics.
 *
 * - `config`: what the operator gave cannot be used. Fix it and start again.
 * - `timeout`: a deadline passed and the work was cancelled. Normal during outages.
 * - `github`: GitHub refused or failed a call; see status and type name.
 * - `provider`: a compute provider refused or failed a call; see its class.
 * - `nats`: NATS was unreachable or refused a call.
 * - `contract`: data that came in does not have the agreed shape.
 * - `conflict`: somebody else changed a record first; read again and decide again.
 * - `unexpected`: a bug. Report it with its stack.
 */
export type ErrorCode =
  | 'config'
  | 'timeout'
  | 'github'
  | 'provider'
  | 'nats'
  | 'contract'
  | 'conflict'
  | 'unexpected';

interface AppErrorOptions {
  /** Whether the same call may succeed later without anybody changing anything. */
  retryable?: boolean;
  /** Plain data that may be logged: ids, status codes. Never secrets. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** Base of every error that Baton throws on purpose. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** Configuration that cannot be used. `message` may hold several lines, one problem each. */
export class ConfigError extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('config', message, options);
  }
}

/** A deadline passed; the work was told to stop through its signal. */
export class TimeoutError extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('timeout', message, { retryable: true, ...options });
  }
}

/** Data from outside that does not match its schema. */
export class ContractError extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('contract', message, options);
  }
}
