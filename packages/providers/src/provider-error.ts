import { AppError } from '@baton/shared/errors';

/**
 * Why a provider failed, as far as the caller must know to decide what comes next.
 *
 * - `quota`: no room, now. Back off; smaller demand or a raised limit helps.
 * - `not-found`: something the call needs is gone.
 * - `denied`: the provider refuses our rights. An operator must act.
 * - `image`: the image cannot be had: wrong name, no rights to it, or its registry is away.
 * - `transient`: the same call may succeed later.
 * - `invalid-settings`: the scale set's settings cannot be used. The spec must change.
 * - `bug`: Baton called the provider wrongly. Report it.
 */
export type ProviderErrorClass =
  | 'quota'
  | 'not-found'
  | 'denied'
  | 'image'
  | 'transient'
  | 'invalid-settings'
  | 'bug';

interface ProviderErrorOptions {
  details?: Record<string, unknown>;
  cause?: unknown;
}

export class ProviderError extends AppError {
  readonly class: ProviderErrorClass;

  constructor(errorClass: ProviderErrorClass, message: string, options: ProviderErrorOptions = {}) {
    super('provider', message, {
      ...options,
      retryable: errorClass === 'transient' || errorClass === 'quota',
      details: { ...options.details, class: errorClass },
    });
    this.class = errorClass;
  }
}
