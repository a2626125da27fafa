import { z } from 'zod';
import { createDockerProvider } from './docker/create-docker-provider.ts';
import { dockerDefinitionSchema } from './docker/definition.ts';
import { createProcessProvider } from './process/create-process-provider.ts';
import { processDefinitionSchema } from './process/definition.ts';
import type { ComputeProvider } from './provider.ts';
import type { ProviderDeps } from './provider-deps.ts';

/** A provider in the configuration of a service. One line per adapter. */
export const providerDefinitionSchema = z.discriminatedUnion('type', [
  processDefinitionSchema,
  dockerDefinitionSchema,
]);

export type ProviderDefinition = z.output<typeof providerDefinitionSchema>;

/** Builds the adapter and checks that it can work here; throws `ConfigError` if it cannot. */
export async function createProvider(
  definition: ProviderDefinition,
  deps: ProviderDeps,
): Promise<ComputeProvider> {
  // One case per adapter.
  switch (definition.type) {
    case 'process':
      return await createProcessProvider(definition, deps);
    case 'docker':
      return await createDockerProvider(definition, deps);
  }
}
