import { Secret } from '@baton/shared/config';
import { ConfigError } from '@baton/shared/errors';
import githubAppJwt from 'universal-github-app-jwt';
import { z } from 'zod';
import { type ConfigUrl, describeScope } from './config-url.ts';
import { type AppCredential, appIssuer, type Credential, credentialKey } from './credential.ts';
import { GitHubApiError, isGitHubError } from './errors.ts';
import { readAnswer } from './read-answer.ts';
import type { Perishable } from './renewing-value.ts';
import type { CallLimit, GitHubTransport, HttpCall } from './transport.ts';

/** Where the Actions service of a config URL is, and the token for it. */
export interface AdminConnection {
  baseUrl: URL;
  token: Secret;
}

const restToken = z.looseObject({ token: z.string().min(1), expires_at: z.string() });
const registration = z.looseObject({ url: z.url(), token: z.string().min(1) });
const jwtClaims = z.looseObject({ exp: z.number() });

/** The bounds of one link of the token chain. */
export interface ChainBounds {
  signal: AbortSignal;
  /** Of the monotonic clock. */
  endsAtMs: number;
}

/**
 * What calls with one credential share at one REST API. The registration itself may be counted
 * apart by GitHub; it is held back with the others all the same. All other calls need the chain, so
 * it goes first.
 */
export function restLimit(
  { restBaseUrl }: ConfigUrl,
  credential: Credential,
  endsAtMs: number,
): CallLimit {
  const whose = credentialKey(credential);
  const key = `rest ${restBaseUrl} ${whose}`;
  return { key, api: 'rest', credential: whose, priority: 'session', endsAtMs };
}

/** Without a readable end: shorter than the shortest life seen (17 min). */
const assumedLifeMs = 10 * 60_000;

/** Exchanges the App's JWT for an installation token. */
export async function fetchInstallationToken(
  transport: GitHubTransport,
  configUrl: ConfigUrl,
  credential: AppCredential,
  { signal, endsAtMs }: ChainBounds,
): Promise<Perishable<Secret>> {
  const path = `/app/installations/${credential.installationId}/access_tokens`;
  const jwt = await signAppJwt(credential, transport.clock.now());
  try {
    return await fetchRestToken(transport, {
      what: 'create installation token',
      url: new URL(`${configUrl.restBaseUrl}${path}`),
      auth: { scheme: 'Bearer', token: jwt },
      limit: restLimit(configUrl, credential, endsAtMs),
      signal,
    });
  } catch (error) {
    throw explainRefusal(
      error,
      configUrl,
      `the GitHub App ${appIssuer(credential)} (installation ${credential.installationId})`,
      'check the client id, the installation id and the private key, and that the App is installed there',
    );
  }
}

/** Gets a registration token with the credential's own token. */
export async function fetchRegistrationToken(
  transport: GitHubTransport,
  configUrl: ConfigUrl,
  credential: Credential,
  { token, signal, endsAtMs }: ChainBounds & { token: Secret },
): Promise<Perishable<Secret>> {
  try {
    return await fetchRestToken(transport, {
      what: 'create registration token',
      url: new URL(`${configUrl.restBaseUrl}${configUrl.registrationTokenPath}`),
      auth: { scheme: 'Bearer', token },
      limit: restLimit(configUrl, credential, endsAtMs),
      signal,
    });
  } catch (error) {
    const pat = credential.kind === 'pat';
    throw explainRefusal(
      error,
      configUrl,
      pat ? 'the personal access token' : 'the token of the GitHub App',
      pat
        ? 'check that it is not expired or revoked, that it may manage self-hosted runners there (admin:org, repo or manage_runners:enterprise), and that the name is right'
        : 'check that the App is installed there and may write self-hosted runners',
    );
  }
}

/** Registers, which gives the address of the Actions service and the admin token for it. */
export async function registerClient(
  transport: GitHubTransport,
  configUrl: ConfigUrl,
  credential: Credential,
  { token, signal, endsAtMs }: ChainBounds & { token: Secret },
): Promise<Perishable<AdminConnection>> {
  const what = 'register at the Actions service';
  const url = new URL(`${configUrl.restBaseUrl}/actions/runner-registration`);
  const answer = await transport.send({
    what,
    method: 'POST',
    url,
    auth: { scheme: 'RemoteAuth', token },
    limit: restLimit(configUrl, credential, endsAtMs),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ url: configUrl.url, runner_event: 'register' }),
    signal,
  });
  const read = readAnswer(registration, answer, { what, host: url.host });
  const baseUrl = new URL(read.url);
  if (url.protocol === 'https:' && baseUrl.protocol !== 'https:') {
    throw new GitHubApiError(`${what}: ${url.host} named a service without https`, {
      kind: 'degraded',
      host: url.host,
    });
  }
  const expiresAtMs = readJwtEnd(read.token) ?? transport.clock.now() + assumedLifeMs;
  return { value: { baseUrl, token: new Secret(read.token) }, expiresAtMs };
}

async function fetchRestToken(
  transport: GitHubTransport,
  call: Omit<HttpCall, 'method'>,
): Promise<Perishable<Secret>> {
  const answer = await transport.send({
    ...call,
    method: 'POST',
    headers: { accept: 'application/vnd.github+json' },
  });
  const read = readAnswer(restToken, answer, { what: call.what, host: call.url.host });
  const endMs = Date.parse(read.expires_at);
  const expiresAtMs = Number.isNaN(endMs) ? transport.clock.now() + assumedLifeMs : endMs;
  return { value: new Secret(read.token), expiresAtMs };
}

async function signAppJwt(credential: AppCredential, nowMs: number): Promise<Secret> {
  try {
    const { token } = await githubAppJwt<string | number>({
      id: appIssuer(credential),
      privateKey: credential.privateKey.reveal(),
      // The library sets iat to 30 s before this and exp to 10 min after iat, so this makes an iat
      // of 60 s ago, for servers whose clock is behind, and an end in 9 min.
      now: Math.floor(nowMs / 1000) - 30,
    });
    return new Secret(token);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // No cause: the library's error may quote the key.
    throw new ConfigError(
      `The private key of the GitHub App ${appIssuer(credential)} cannot be used: give the PEM file that GitHub made, unchanged.`,
    );
  }
}

/** Adds to a refusal what was refused, where, for what, and what to do about it. */
function explainRefusal(
  error: unknown,
  configUrl: ConfigUrl,
  subject: string,
  advice: string,
): unknown {
  if (!isGitHubError(error, 'unauthorized', 'forbidden', 'not-found')) return error;
  return new GitHubApiError(
    `${configUrl.host} refused ${subject} for ${describeScope(configUrl)} (HTTP ${error.status ?? 'none'}): ${advice}`,
    { ...error.info, advised: true },
    { cause: error },
  );
}

/** When a JWT ends, in ms; undefined when it does not say so. The signature is GitHub's business. */
function readJwtEnd(jwt: string): number | undefined {
  try {
    const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString();
    return jwtClaims.parse(JSON.parse(payload)).exp * 1000;
  } catch {
    return undefined;
  }
}
