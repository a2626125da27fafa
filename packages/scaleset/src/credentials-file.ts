import { readFileSync } from 'node:fs';
import { loadFile, Secret } from '@baton/shared/config';
import { ConfigError, errorText } from '@baton/shared/errors';
import { z } from 'zod';
import type { Credential } from './credential.ts';

const hosts = z.array(z.string().min(1)).min(1);
const secretText = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));
const path = z.string().min(1);

const patSchema = z
  .strictObject({
    type: z.literal('pat'),
    hosts,
    token: secretText.optional(),
    tokenFile: path.optional(),
  })
  .refine((entry) => (entry.token === undefined) !== (entry.tokenFile === undefined), {
    error: 'needs either token or tokenFile',
  });

const appSchema = z.strictObject({
  type: z.literal('app'),
  hosts,
  clientId: z.string().min(1),
  installationId: z.int(),
  privateKeyFile: path,
});

const credentialsFileSchema = z.strictObject({
  credentials: z.record(z.string(), z.discriminatedUnion('type', [patSchema, appSchema])),
});

/**
 * Reads the credentials of a service, by name. Secrets may stand in files of their own, named by
 * `tokenFile` and `privateKeyFile`.
 * @throws ConfigError with every problem and its place; never a value.
 */
export function loadCredentials(file: string): ReadonlyMap<string, Credential> {
  const { credentials } = loadFile(file, credentialsFileSchema, 'credentials file');
  return new Map(Object.entries(credentials).map(([name, entry]) => [name, toCredential(entry)]));
}

function toCredential(entry: z.infer<typeof patSchema> | z.infer<typeof appSchema>): Credential {
  if (entry.type === 'app') {
    const { clientId, installationId } = entry;
    const privateKey = readSecret(entry.privateKeyFile);
    return { kind: 'app', hosts: entry.hosts, clientId, installationId, privateKey };
  }
  const token = entry.token ?? readSecret(entry.tokenFile ?? '');
  return { kind: 'pat', hosts: entry.hosts, token };
}

function readSecret(file: string): Secret {
  try {
    return new Secret(readFileSync(file, 'utf8').trim());
  } catch (cause) {
    throw new ConfigError(`secret file ${file} cannot be read: ${errorText(cause)}`, { cause });
  }
}
