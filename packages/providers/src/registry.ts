import { z } from 'zod';
import { createDockerProvider } from './docker/create-docker-provider.ts';
import { dockerDefinitionSchema } from './docker/definition.ts';
import { createExternalProvider } from './external/create-external-provider.ts';
import { externalDefinitionSchema } from './external/definition.ts';
import { createKubernetesProvider } from './kubernetes/create-kubernetes-provider.ts';
import { kubernetesDefinitionSchema } from './kubernetes/definition.ts';
import { createProcessProvider } from './process/create-process-provider.ts';
import { processDefinitionSchema } from './process/definition.ts';
import type { ComputeProvider } from './provider.ts';
import type { ProviderDeps } from './provider-deps.ts';

/** A provider in the configuration of a service. One line per adapter. */
export const providerDefinitionSchema = z.discriminatedUnion('type', [
  processDefinitionSchema,
  dockerDefinitionSchema,
  kubernetesDefinitionSchema,
  externalDefinitionSchema,
]);

export type ProviderDefinition = z.output<typeof providerDefinitionSchema>;

/** Builds the adapter, one case each, and checks that it can work here; throws `ConfigError` if it cannot. */
export async function createProvider(
  definition: ProviderDefinition,
  deps: ProviderDeps,
): Promise<ComputeProvider> {
  switch (definition.type) {
    case 'process':
      return await createProcessProvider(definition, deps);
    case 'docker':
      return await createDockerProvider(definition, deps);
    case 'kubernetes':
      return await createKubernetesProvider(definition, deps);
    case 'external':
      return await createExternalProvider(definition, deps);
  }
}
