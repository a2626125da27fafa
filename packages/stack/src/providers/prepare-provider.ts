import type { ProviderDefinition } from '@baton/providers';
import type { ProviderName, StackOptions } from '../stack-options.ts';
import { prepareDocker } from './docker.ts';
import { prepareProcess } from './process.ts';

/** What a provider may need to prepare itself for a stack. */
export interface Preparation {
  /** The stack's folder: what lies in it goes with the stack. */
  dir: string;
  options: StackOptions;
  installationId: string;
  /** Where to register what must be ended with the stack; runs after the instances are deleted. */
  cleanup: AsyncDisposableStack;
}

type Prepare = (preparation: Preparation) => Promise<ProviderDefinition>;

/** One line per provider; its name stands in `providerNames` too. */
const preparers: Record<ProviderName, Prepare> = {
  process: prepareProcess,
  docker: prepareDocker,
};

/**
 * Prepares the stack's one provider.
 * @throws ConfigError, with what to do, when it cannot work here.
 */
export async function prepareProvider(preparation: Preparation): Promise<ProviderDefinition> {
  return await preparers[preparation.options.provider ?? 'process'](preparation);
}
