import type { Secret } from '@baton/shared/config';
import { clockLimits } from '@baton/shared/time';
import { type ConfigUrl, describeScope, parseConfigUrl } from '../config-url.ts';
import { type Credential, checkHostAllowed } from '../credential.ts';
import { isGitHubError } from '../errors.ts';
import type { GitHubClients } from '../github-clients.ts';
import { proxyFor, shownProxy } from '../proxy.ts';
import {
  type AdminConnection,
  type ChainBounds,
  fetchInstallationToken,
  fetchRegistrationToken,
  registerClient,
  restLimit,
} from '../rest-auth.ts';
import { retryCall } from '../retry.ts';
import { ScaleSetClient } from '../scale-set-client.ts';
import type { Examination } from './examination.ts';

/** One credential at one config URL. */
export interface Scope {
  credentialName: string;
  configUrl: string;
}

/** What lets a scope be looked into. */
export interface OpenScope {
  parsed: ConfigUrl;
  client: ScaleSetClient;
  /** For the REST API. */
  token: Secret;
  limit: (bounds: ChainBounds) => ReturnType<typeof restLimit>;
}

interface RestTokens {
  token: Secret;
  registration: Secret;
}

/** GitHub refuses fresh registration tokens now and then; so short a while is no finding. */
const registerRetries = { attempts: 3, policy: { baseMs: 500, maxMs: 2_000, minMs: 250 } };

/**
 * Walks the whole way to the Actions service with one credential, with nothing from before: a token
 * that is kept says nothing about the credential of now. Undefined when the way ends before.
 */
export async function checkScope(
  exam: Examination,
  clients: GitHubClients,
  scope: Scope,
): Promise<OpenScope | undefined> {
  const about = `${scope.configUrl} with credential "${scope.credentialName}"`;
  const known = findCredential(exam, clients, scope, about);
  if (!known) return undefined;
  const { parsed, credential } = known;
  const tokens = await checkTokens(exam, about, parsed, credential);
  if (!tokens) return undefined;
  const connection = await register(exam, about, known, tokens);
  if (!connection) return undefined;
  const client = clientFor(exam, parsed, connection);
  const subject = { about, host: connection.baseUrl.host };
  const found = await exam.step('actions-service', subject, ({ signal }) =>
    client.findRunnerGroup('default', { signal }).then(() => true),
  );
  if (!found) return undefined;
  exam.add('actions-service', about, 'ok', `${subject.host} lets this process in`);
  const limit = ({ endsAtMs }: ChainBounds) => restLimit(parsed, credential, endsAtMs);
  return { parsed, client, token: tokens.token, limit };
}

function findCredential(
  exam: Examination,
  { credentials }: GitHubClients,
  { credentialName, configUrl }: Scope,
  about: string,
): { parsed: ConfigUrl; credential: Credential } | undefined {
  try {
    const parsed = parseConfigUrl(configUrl);
    const credential = credentials.get(credentialName);
    checkHostAllowed(parsed, credential);
    exam.add('credential', about, 'ok', `may be sent to ${parsed.host}`);
    return { parsed, credential };
  } catch (error) {
    exam.fail('credential', about, error);
    return undefined;
  }
}

/** The first calls: they tell whether GitHub can be reached, its time, and what the credential is worth. */
async function checkTokens(
  exam: Examination,
  about: string,
  parsed: ConfigUrl,
  credential: Credential,
): Promise<RestTokens | undefined> {
  const url = new URL(parsed.restBaseUrl);
  const proxy = proxyFor(url, exam.transport.network.proxies);
  const reached = () => {
    const way = proxy === undefined ? 'without a proxy' : `through ${shownProxy(proxy)}`;
    exam.add('connection', about, 'ok', `${url.host} answers, ${way}`);
    checkClock(exam, about, url.host);
  };
  try {
    const tokens = await exam.within(url.host, (bounds) =>
      fetchTokens(exam, parsed, credential, bounds),
    );
    reached();
    const text = `${url.host} gives tokens to register runners for ${describeScope(parsed)}`;
    exam.add('token', about, 'ok', text);
    return tokens;
  } catch (error) {
    const answered = isGitHubError(error) && error.status !== undefined;
    if (answered) reached();
    exam.fail(isUnreachable(error) ? 'connection' : 'token', about, error);
    return undefined;
  }
}

function isUnreachable(error: unknown): boolean {
  return isGitHubError(error, 'unavailable') && error.status === undefined;
}

function checkClock(exam: Examination, about: string, host: string): void {
  const ahead = exam.transport.clocks.aheadMs(host);
  if (ahead === undefined) return;
  const difference = Math.abs(ahead);
  const agrees = difference <= clockLimits.warnMs;
  const outcome = agrees ? 'ok' : difference <= clockLimits.failMs ? 'warning' : 'failed';
  const side = ahead > 0 ? 'ahead of' : 'behind';
  const text = agrees
    ? `agrees with ${host}`
    : `the clock here is at least ${(difference / 1_000).toFixed(1)} s ${side} that of ${host}: have it set by NTP; GitHub refuses the tokens of an App that are off by a minute`;
  exam.add('clock', about, outcome, text);
}

async function fetchTokens(
  { transport }: Examination,
  parsed: ConfigUrl,
  credential: Credential,
  bounds: ChainBounds,
): Promise<RestTokens> {
  const token =
    credential.kind === 'pat'
      ? credential.token
      : (await fetchInstallationToken(transport, parsed, credential, bounds)).value;
  const limits = { ...bounds, token };
  const { value } = await fetchRegistrationToken(transport, parsed, credential, limits);
  return { token, registration: value };
}

async function register(
  exam: Examination,
  about: string,
  { parsed, credential }: { parsed: ConfigUrl; credential: Credential },
  { registration }: RestTokens,
): Promise<AdminConnection | undefined> {
  const { transport } = exam;
  const host = new URL(parsed.restBaseUrl).host;
  return await exam.step('registration', { about, host }, async (bounds) => {
    const call = {
      ...registerRetries,
      transport,
      budgetMs: 8_000,
      mayRetry: ({ kind }: { kind: string }) =>
        ['unauthorized', 'forbidden', 'unavailable', 'degraded'].includes(kind),
      signal: bounds.signal,
    };
    const { value } = await retryCall(call, () =>
      registerClient(transport, parsed, credential, { ...bounds, token: registration }),
    );
    return value;
  });
}

/** It says what GitHub says to this one connection, and gets no other. */
function clientFor(
  { transport }: Examination,
  configUrl: ConfigUrl,
  connection: AdminConnection,
): ScaleSetClient {
  const tokens = {
    configUrl,
    connection: () => Promise.resolve(connection),
    invalidate: () => undefined,
  };
  return new ScaleSetClient({ transport, tokens });
}
