import { createHash } from 'node:crypto';
import type { Secret } from '@baton/shared/config';
import { ConfigError } from '@baton/shared/errors';
import type { ConfigUrl } from './config-url.ts';

interface CredentialBase {
  /**
   * Hosts that the credential may be sent to, as they stand in config URLs, with a port that is not
   * the default one: `github.com`, `127.0.0.1:8080`. `api.X` follows `X`.
   */
  hosts: readonly string[];
}

/** A personal access token. */
export interface PatCredential extends CredentialBase {
  kind: 'pat';
  token: Secret;
}

/** An installation of a GitHub App. Give the client id or, on older servers, the app id. */
export interface AppCredential extends CredentialBase {
  kind: 'app';
  clientId?: string;
  appId?: number;
  installationId: number;
  /** PEM, PKCS#1 or PKCS#8. */
  privateKey: Secret;
}

export type Credential = PatCredential | AppCredential;

/** Throws `ConfigError` unless the credential may be sent to the server of `configUrl`. */
export function checkHostAllowed(configUrl: ConfigUrl, { hosts }: Credential): void {
  if (hosts.some((host) => host.toLowerCase() === configUrl.host)) return;
  throw new ConfigError(
    `The credential for ${configUrl.url} may not be sent to ${configUrl.host}: add this host to the credential's hosts (now: ${hosts.join(', ') || 'none'}), or use another credential.`,
    { details: { host: configUrl.host } },
  );
}

/** The same text for the same credential, without giving the secret away. */
export function credentialKey(credential: Credential): string {
  const secret = credential.kind === 'pat' ? credential.token : credential.privateKey;
  const digest = createHash('sha256').update(secret.reveal()).digest('hex');
  return credential.kind === 'pat'
    ? `pat ${digest}`
    : `app ${appIssuer(credential)} ${credential.installationId} ${digest}`;
}

/** Who the App's JWT says it is from. */
export function appIssuer({ clientId, appId }: AppCredential): string | number {
  const issuer = clientId ?? appId;
  if (issuer === undefined) {
    throw new ConfigError('A GitHub App credential needs the client id or the app id of the App.');
  }
  return issuer;
}
