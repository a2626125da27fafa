import { z } from 'zod';
import { createProcessProvider } from './process/create-process-provider.ts';
import { processDefinitionSchema } from './process/definition.ts';
import type { ComputeProvider } from './provider.ts';
import type { ProviderDeps } from './provider-deps.ts';

/** A provider in the configuration of a service. One line per adapter. */
export const providerDefinitionSchema = z.discriminatedUnion('type', [processDefinitionSchema]);

export type ProviderDefinition = z.output<typeof providerDefinitionSchema>;

/** How each type of definition becomes a provider. One line per adapter. */
const factories: {
  [T in ProviderDefinition['type']]: (
    definition: Extract<ProviderDefinition, { type: T }>,
    deps: ProviderDeps,
  ) => Promise<ComputeProvider>;
} = {
  process: createProcessProvider,
};

/** Builds the adapter and checks that it can work here; throws `ConfigError` if it cannot. */
export async function createProvider(
  definition: ProviderDefinition,
  deps: ProviderDeps,
): Promise<ComputeProvider> {
  return await factories[definition.type](definition, deps);
}
