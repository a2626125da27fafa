import { loadFile } from '@baton/shared/config';
import { z } from 'zod';
import type { ComputeProvider } from './provider.ts';
import type { ProviderDeps } from './provider-deps.ts';
import { createProvider, providerDefinitionSchema } from './registry.ts';

const providersFileSchema = z.strictObject({
  providers: z.record(z.string(), providerDefinitionSchema),
});

/**
 * Builds the providers of a service from its providers file, by name.
 * @throws ConfigError for a file that cannot be used, or a provider that cannot work here.
 */
export async function loadProviders(
  file: string,
  deps: ProviderDeps,
): Promise<ReadonlyMap<string, ComputeProvider>> {
  const { providers } = loadFile(file, providersFileSchema, 'providers file');
  const made = new Map<string, ComputeProvider>();
  for (const [name, definition] of Object.entries(providers)) {
    made.set(name, await createProvider(definition, { ...deps, name }));
  }
  return made;
}
