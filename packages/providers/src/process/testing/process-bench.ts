import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@baton/shared/time';
import type { ProviderBench } from '../../conformance.ts';
import type { ComputeProvider } from '../../provider.ts';
import { createProvider, providerDefinitionSchema } from '../../registry.ts';

const obeyProgram = fileURLToPath(new URL('./obey.sh', import.meta.url));

interface Changes {
  installationId?: string;
  env?: Record<string, string>;
  serviceEnv?: Record<string, string>;
  [definitionField: string]: unknown;
}

/** A process provider in `directory`, as a service would build it. */
export async function aProcessProvider(
  directory: string,
  { installationId = 'conformance', serviceEnv = {}, ...changes }: Changes = {},
): Promise<ComputeProvider> {
  const definition = providerDefinitionSchema.parse({
    type: 'process',
    directory,
    command: [obeyProgram],
    stopTimeoutMs: 500,
    ...changes,
  });
  return await createProvider(definition, { installationId, clock: systemClock, env: serviceEnv });
}

export async function aProcessBench(
  changes: Changes = {},
): Promise<ProviderBench & { directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-process-'));
  return {
    directory,
    provider: await aProcessProvider(directory, changes),
    foreign: await aProcessProvider(directory, { ...changes, installationId: 'other' }),
    second: await aProcessProvider(directory, changes),
    dispose: async () => await rm(directory, { recursive: true, force: true, maxRetries: 5 }),
  };
}
