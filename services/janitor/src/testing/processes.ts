import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ComputeProvider, createProvider } from '@baton/providers';
import { systemClock } from '@baton/shared/time';
import { installationId, startTestProcess, type TestProcess } from '@baton/testkit';

const runScript = fileURLToPath(
  new URL('../../../../packages/github-sim/bin/run.sh', import.meta.url),
);
const janitorMain = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Runners that are processes, each in a folder of `directory`. */
export async function processesIn(directory: string, hostId?: string): Promise<ComputeProvider> {
  return await createProvider(
    { ...definitionOf(directory), hostId },
    { installationId, clock: systemClock, env: {} },
  );
}

interface ProcessOptions {
  /** How it reaches NATS. */
  variables: Record<string, string>;
  credentialsFile: string;
  /** Of the instances. */
  directory: string;
  /** For files. */
  dir: string;
}

/** A janitor as a process of its own, which looks at what is marked twice a second. */
export async function startJanitor(options: ProcessOptions): Promise<TestProcess> {
  const { variables, credentialsFile, directory, dir } = options;
  const providersFile = join(dir, 'providers.yaml');
  const providers = { local: definitionOf(directory) };
  await writeFile(providersFile, JSON.stringify({ providers }));
  const files = { BATON_CREDENTIALS_FILE: credentialsFile, BATON_PROVIDERS_FILE: providersFile };
  const health = { BATON_HEALTH_HOST: '127.0.0.1', BATON_HEALTH_PORT: '0' };
  const env = { ...variables, ...files, ...health, BATON_PASS_EVERY_MS: '500' };
  return startTestProcess(janitorMain, { env });
}

function definitionOf(directory: string) {
  const command: [string, ...string[]] = [runScript];
  const env = { BATON_NODE: process.execPath };
  return {
    type: 'process' as const,
    directory,
    command,
    maxInstances: 50,
    env,
    stopTimeoutMs: 500,
  };
}
