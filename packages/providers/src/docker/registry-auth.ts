import { readFile } from 'node:fs/promises';
import { errorText } from '@baton/shared/errors';
import { ProviderError } from '../provider-error.ts';
import type { DockerDefinition } from './definition.ts';
import { parseImageReference } from './image-reference.ts';

/**
 * The header that lets the engine log in at the image's registry; none where no credentials are
 * configured for it. The file is read each time, so that a password may be rotated.
 */
export async function registryAuth(
  image: string,
  registries: DockerDefinition['registries'],
): Promise<Record<string, string>> {
  const { registry } = parseImageReference(image);
  const credentials = Object.hasOwn(registries, registry) ? registries[registry] : undefined;
  if (!credentials) return {};
  const password = await readPassword(credentials.passwordFile);
  const serveraddress = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
  const login = { username: credentials.username, password, serveraddress };
  return { 'x-registry-auth': Buffer.from(JSON.stringify(login)).toString('base64url') };
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new ProviderError(
      'denied',
      `the password file ${file} cannot be read: ${errorText(error)}`,
    );
  }
}
