import { ConfigError } from '@baton/shared/errors';
import { systemClock } from '@baton/shared/time';
import { expect, test } from 'vitest';
import { type ProviderBench, providerConformance } from '../conformance.ts';
import type { ComputeProvider } from '../provider.ts';
import { templateDefinitionSchema } from './definition.ts';
import { createTemplateProvider } from './provider.ts';
import { startTinyPlace } from './testing/tiny-place.ts';

/** As a service would build it. */
async function aProvider(url: string, installationId: string): Promise<ComputeProvider> {
  const definition = templateDefinitionSchema.parse({ type: 'template', url });
  return await createTemplateProvider(definition, { installationId, clock: systemClock, env: {} });
}

async function aBench(): Promise<ProviderBench> {
  const { url, stop } = await startTinyPlace();
  return {
    provider: await aProvider(url, 'conformance'),
    second: await aProvider(url, 'conformance'),
    foreign: await aProvider(url, 'other'),
    dispose: stop,
  };
}

providerConformance('the template provider', aBench);

test('a place that cannot be reached is a mistake of the configuration', async () => {
  const { url, stop } = await startTinyPlace();
  await stop();

  await expect(aProvider(url, 'conformance')).rejects.toThrow(ConfigError);
});
