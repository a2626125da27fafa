import { access, constants, readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '@baton/shared/errors';
import type { ProviderDeps } from '../provider-deps.ts';
import type { ExternalDefinition } from './definition.ts';
import { ExternalProvider } from './external-provider.ts';
import { PoolCommands } from './pool-commands.ts';

/** More would not fit into a record beside the rest, in bytes. */
const maxCaBytes = 256 * 1024;

/** Checks what the definition names and builds the provider. Runs no command. */
export async function createExternalProvider(
  definition: ExternalDefinition,
  deps: ProviderDeps,
): Promise<ExternalProvider> {
  const { installationId, clock, env, scaleSets, name = 'external' } = deps;
  await verifyFile('executable', definition.executable, constants.X_OK);
  await verifyFile('configFile', definition.configFile, constants.R_OK);
  const { caCertFile } = definition;
  const caBundle = caCertFile === undefined ? undefined : await readCertificates(caCertFile);
  if (!scaleSets) throw new ConfigError('this service does not say which scale sets there are');
  return new ExternalProvider({
    definition,
    installationId,
    clock,
    commands: new PoolCommands({ definition, installationId, clock, env }),
    scaleSets: (signal) => scaleSets(name, signal),
    bootstrap: deps.bootstrap?.(),
    caBundle,
  });
}

async function verifyFile(field: string, path: string, mode: number): Promise<void> {
  const must = mode === constants.X_OK ? 'an executable file' : 'a readable file';
  const problem = `the ${field} ${path} of an external provider must be ${must}`;
  try {
    await access(path, mode);
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    throw new ConfigError(problem, { cause: error });
  }
  throw new ConfigError(problem);
}

async function readCertificates(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate is in it');
    if (text.length > maxCaBytes) throw new Error(`it is larger than ${maxCaBytes} bytes`);
    createSecureContext({ ca: text });
    return text;
  } catch (error) {
    throw new ConfigError(`the caCertFile ${path} of an external provider cannot be used`, {
      cause: error,
    });
  }
}
