import type { Clock } from '@baton/shared/time';

/** What every adapter is built with. */
export interface ProviderDeps {
  installationId: string;
  clock: Clock;
  /** The environment of the service; adapters take from it only what they name. */
  env: Readonly<Record<string, string | undefined>>;
}
