import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { systemClock } from '@baton/shared/time';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createKubernetesProvider } from './create-kubernetes-provider.ts';
import { aDefinition } from './testing/definitions.ts';

// Loading the library takes half a second, and much longer on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const deps = { installationId: 'a', clock: systemClock, env: {} };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-kubeconfig-'));
});
afterEach(async () => await rm(directory, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(directory, 'kubeconfig');
  await writeFile(path, text);
  return path;
}

test.each([
  [
    'is not there',
    () => Promise.resolve('/no/such/file'),
    {},
    'kubeconfig /no/such/file cannot be read',
  ],
  ['is no YAML', async () => await file('{ users: [s3cret'), {}, 'cannot be read'],
  ['names no cluster', async () => await file('current-context: x'), {}, 'names no cluster'],
  [
    'lacks the context',
    async () => await file('current-context: x\ncontexts: []'),
    { context: 'prod' },
    'names no cluster for the context prod',
  ],
])('a kubeconfig that %s is told', async (_what, make, changes, text) => {
  const making = createKubernetesProvider(
    aDefinition({ kubeconfig: await make(), ...changes }),
    deps,
  );

  await expect(making).rejects.toThrow(ConfigError);
  await expect(making).rejects.toThrow(text);
  await expect(making).rejects.not.toThrow('s3cret');
});

test('outside of a cluster a kubeconfig is asked for', async () => {
  await expect(createKubernetesProvider(aDefinition(), deps)).rejects.toThrow(
    'the kubernetes provider is not in a pod',
  );
});

test.each([
  [{ namespace: 'Not A Name' }, 'namespace'],
  [{ maxInstances: 0 }, 'maxInstances'],
  [{ allow: { privilegd: true } }, 'allow'],
  [{ podTemplate: { specs: {} } }, 'podTemplate'],
])('a definition with %j is refused', (changes, path) => {
  expect(() => aDefinition(changes)).toThrow(path);
});
