import { randomBytes } from 'node:crypto';
import { Secret } from '@baton/shared/config';
import { systemClock } from '@baton/shared/time';
import { describe, expect, test, vi } from 'vitest';
import { createProvider, providerDefinitionSchema } from '../registry.ts';
import { aRequest } from '../testing/a-request.ts';

/**
 * An existing provider executable, unmodified, against its real back end:
 *   BATON_TEST_GARM_PROVIDER  the executable
 *   BATON_TEST_GARM_CONFIG    its configuration file
 *   BATON_TEST_GARM_SETTINGS  JSON: a scale set's settings, with image and flavor
 *   BATON_TEST_GARM_ENV       starts of the names of variables that it needs, separated by commas
 * Its instances are given addresses where nobody answers, so they never become runners.
 */
// biome-ignore lint/style/noProcessEnv: the one place where a test of an existing executable is asked for.
const env = process.env;
const {
  BATON_TEST_GARM_PROVIDER: executable = '',
  BATON_TEST_GARM_CONFIG: configFile = '',
  BATON_TEST_GARM_SETTINGS: settingsText = '{"image":"busybox","flavor":"small"}',
  BATON_TEST_GARM_ENV: prefixes = '',
} = env;

const { signal } = new AbortController();
const settings: unknown = JSON.parse(settingsText);
const scaleSetId = 'compat-1';
const installationId = `t${randomBytes(3).toString('hex')}`;
const nowhere = 'http://127.0.0.1:9';

async function aProvider(interfaceVersion: string) {
  const definition = providerDefinitionSchema.parse({
    type: 'external',
    executable,
    configFile,
    interfaceVersion,
    environmentVariables: prefixes.split(',').filter(Boolean),
    allowedSettings: ['image', 'flavor', 'osType', 'osArch', 'runnerGroup', 'extraSpecs'],
  });
  return await createProvider(definition, {
    installationId,
    clock: systemClock,
    env,
    scaleSets: () => Promise.resolve([{ id: scaleSetId, settings }]),
    bootstrap: () => ({
      issue: () =>
        Promise.resolve({
          metadataUrl: `${nowhere}/metadata`,
          callbackUrl: `${nowhere}/callbacks`,
          repoUrl: 'https://github.com/acme',
          token: new Secret('no-token'),
        }),
    }),
  });
}

describe.each(['v0.1.0', 'v0.1.1'])('the provider with %s', (version) => {
  test('creates, finds again, lists and deletes an instance', async () => {
    const provider = await aProvider(version);
    const runnerId = randomBytes(5).toString('hex');
    const runnerName = `compat-${installationId}-${runnerId}`;
    const request = aRequest({ runnerId, runnerName, scaleSetId, installationId, settings });

    const { instanceId } = await provider.create(request, signal);
    const [found] = await provider.list(signal);
    const again = await provider.create(request, signal);

    expect(found).toMatchObject({ instanceId, runnerId, scaleSetId });
    expect(again).toEqual({ instanceId });
    await provider.delete(instanceId, signal);
    await vi.waitFor(async () => expect(await provider.list(signal)).toEqual([]), {
      timeout: 120_000,
      interval: 1_000,
    });
    await provider.delete(instanceId, signal);
  });
});
