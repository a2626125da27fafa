import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProviderDefinition } from '@baton/providers';
import { parseConfigUrl } from '@baton/scaleset';
import { stringify } from 'yaml';
import type { ServiceName } from './service-process.ts';
import type { StackOptions } from './stack-options.ts';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const simToken = 'sim-token';

/** One password for each user of infra/nats/nats.conf, by the variable it is read from. */
export function natsPasswords(): Record<string, string> {
  const users = ['LISTENER', 'PROVISIONER', 'JANITOR', 'CLI'];
  // A letter first: nats-server reads a value that looks like a number as one.
  return Object.fromEntries(
    users.map((user) => [`BATON_NATS_${user}_PASSWORD`, `p${randomBytes(16).toString('hex')}`]),
  );
}

/** The files that the services' configuration names: credentials and providers. */
export async function writeServiceFiles(
  dir: string,
  { github }: StackOptions,
  { configUrl, provider }: { configUrl: string; provider: ProviderDefinition },
): Promise<void> {
  const token = github.kind === 'real' ? github.token : simToken;
  await writeCredentials(join(dir, 'credentials.yaml'), configUrl, token);
  await writeFile(join(dir, 'providers.yaml'), stringify({ providers: { local: provider } }));
}

/** A credentials file whose token names its user to the simulator. Returns the variable for it. */
export async function writeOwnCredentials(
  dir: string,
  configUrl: string,
  instance: string,
): Promise<Record<string, string>> {
  const file = join(dir, `credentials-${instance}.yaml`);
  await writeCredentials(file, configUrl, `${simToken}@${instance}`);
  return { BATON_CREDENTIALS_FILE: file };
}

async function writeCredentials(file: string, configUrl: string, token: string): Promise<void> {
  const github = { type: 'pat', hosts: [parseConfigUrl(configUrl).host], token };
  await writeFile(file, stringify({ credentials: { github } }), { mode: 0o600 });
}

interface Surroundings {
  dir: string;
  options: StackOptions;
  installationId: string;
  natsUrl: string;
  passwords: Record<string, string>;
}

/** Everything a process needs to talk to the stack as this user. */
export function stackVariables(
  { dir, options, installationId, natsUrl, passwords }: Surroundings,
  user: ServiceName | 'cli',
): Record<string, string> {
  return {
    ...baseEnv(options.env),
    BATON_NATS_URL: natsUrl,
    BATON_NATS_USER: user,
    BATON_NATS_PASSWORD: passwords[`BATON_NATS_${user.toUpperCase()}_PASSWORD`] ?? '',
    BATON_INSTALLATION_ID: installationId,
    BATON_CREDENTIALS_FILE: join(dir, 'credentials.yaml'),
    BATON_PROVIDERS_FILE: join(dir, 'providers.yaml'),
    BATON_LEASE_TTL_MS: String(options.leaseTtlMs),
    BATON_HEALTH_HOST: '127.0.0.1',
    BATON_HEALTH_PORT: '0',
    ...options.serviceEnv,
    ...options.envOf?.[user],
  };
}

/** What our children see of the environment that the stack was started in. */
export function baseEnv(env: StackOptions['env']): Record<string, string> {
  return pick(env, ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_COMPILE_CACHE', 'BATON_LOG_LEVEL']);
}

/** The variables of these names that are set. */
export function pick(env: StackOptions['env'], names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
