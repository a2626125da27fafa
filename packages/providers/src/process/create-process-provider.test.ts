import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { providerDefinitionSchema } from '../registry.ts';
import { aProcessProvider } from './testing/process-bench.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-process-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('says where to get the runner program when there is none', async () => {
  const making = aProcessProvider(directory, { command: ['/opt/no-such-runner/run.sh'] });

  await expect(making).rejects.toThrow(ConfigError);
  await expect(making).rejects.toThrow('github.com/actions/runner/releases');
});

test.each([
  { $case: 'a file without the right to execute it', program: 'run.sh' },
  { $case: 'a directory', program: '.' },
])('refuses $case as the runner program', async ({ program }) => {
  await writeFile(join(directory, 'run.sh'), '#!/bin/sh\n', { mode: 0o644 });

  const making = aProcessProvider(directory, { command: [join(directory, program)] });

  await expect(making).rejects.toThrow('is missing or not executable');
});

test('refuses a directory that cannot be made', async () => {
  await writeFile(join(directory, 'file'), '');

  const making = aProcessProvider(join(directory, 'file'));

  await expect(making).rejects.toThrow('cannot write to its directory');
});

test.each(['', '..', 'a/b', '.hidden'])('refuses %j as the installation id', async (id) => {
  await expect(aProcessProvider(directory, { installationId: id })).rejects.toThrow(ConfigError);
});

test('a definition has defaults, and refuses relative paths and unknown fields', () => {
  const definition = { type: 'process', directory: '/srv/runners', command: ['/opt/run.sh'] };

  expect(providerDefinitionSchema.parse(definition)).toEqual({
    ...definition,
    maxInstances: 100,
    env: {},
    stopTimeoutMs: 5000,
  });
  for (const wrong of [{ command: [] }, { command: ['run.sh'] }, { directory: 'x' }, { foo: 1 }])
    expect(providerDefinitionSchema.safeParse({ ...definition, ...wrong }).success).toBe(false);
});
