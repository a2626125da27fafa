import type { Clock } from '@baton/shared/time';
import type { BootstrapPort } from './bootstrap-port.ts';

/** A scale set that has, or may have had, instances at a provider. */
export interface ScaleSetAtProvider {
  id: string;
  /** As in `CreateRequest`; absent for one that was deleted or has moved to another provider. */
  settings?: unknown;
}

/** What every adapter is built with. */
export interface ProviderDeps {
  installationId: string;
  clock: Clock;
  /** The environment of the service; adapters take from it only what they name. */
  env: Readonly<Record<string, string | undefined>>;
  /** The provider's name in the configuration; what `scaleSets` is asked with. */
  name?: string;
  /** For adapters that can list instances only one scale set at a time; also those just deleted. */
  scaleSets?: (provider: string, signal: AbortSignal) => Promise<readonly ScaleSetAtProvider[]>;
  /**
   * For adapters whose instances fetch what they run with. Called once, when the adapter is built;
   * absent in services that create nothing.
   * @throws ConfigError when the service is not set up for it.
   */
  bootstrap?: () => BootstrapPort;
}
