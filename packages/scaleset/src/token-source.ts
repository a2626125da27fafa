import type { Secret } from '@baton/shared/config';
import type { ConfigUrl } from './config-url.ts';
import {
  type AppCredential,
  type Credential,
  checkHostAllowed,
  credentialKey,
} from './credential.ts';
import { type GitHubApiError, isGitHubError } from './errors.ts';
import { RenewingValue } from './renewing-value.ts';
import {
  type AdminConnection,
  type ChainBounds,
  fetchInstallationToken,
  fetchRegistrationToken,
  registerClient,
} from './rest-auth.ts';
import { retryCall } from './retry.ts';
import type { GitHubTransport } from './transport.ts';

const chainTimeoutMs = 60_000;

/** Where the clients of one config URL get their admin tokens from. */
export interface Tokens {
  readonly configUrl: ConfigUrl;
  /**
   * Where the Actions service is and the token for it. Fails with `ConfigError` (the key cannot be
   * used) or with `GitHubApiError`; a refused credential is `unauthorized`, `forbidden` or
   * `not-found` with a text for the operator. Safe to call before every request.
   */
  connection(signal?: AbortSignal): Promise<AdminConnection>;
  /** Drops a connection whose token was refused; the next `connection()` gets a new one. */
  invalidate(refused: AdminConnection): void;
}

/**
 * The token chain of one credential and one config URL: credential, registration token, admin
 * token. Each link is cached until shortly before it ends and fetched once however many ask.
 */
export class TokenSource implements Tokens {
  readonly configUrl: ConfigUrl;
  readonly #transport: GitHubTransport;
  readonly #credential: Credential;
  readonly #installation: RenewingValue<Secret> | undefined;
  readonly #registration: RenewingValue<Secret>;
  readonly #admin: RenewingValue<AdminConnection>;

  /** Made by `TokenSources.get`, which is what lets clients share one. */
  constructor(
    transport: GitHubTransport,
    configUrl: ConfigUrl,
    credential: Credential,
    installation: RenewingValue<Secret> | undefined,
  ) {
    this.#transport = transport;
    this.configUrl = configUrl;
    this.#credential = credential;
    this.#installation = installation;
    this.#registration = renewing(transport, configUrl, 'registration token', (bounds) =>
      this.#fetchRegistration(bounds),
    );
    this.#admin = renewing(transport, configUrl, 'admin token', (bounds) => this.#register(bounds));
  }

  connection(signal?: AbortSignal): Promise<AdminConnection> {
    return this.#admin.get(signal);
  }

  invalidate(refused: AdminConnection): void {
    this.#admin.invalidate(refused);
  }

  async #fetchRegistration({ signal, endsAtMs }: ChainBounds) {
    const installation = this.#installation;
    const fetchWith = (token: Secret) =>
      fetchRegistrationToken(this.#transport, this.configUrl, this.#credential, {
        token,
        signal,
        endsAtMs,
      });
    if (this.#credential.kind === 'pat') return await fetchWith(this.#credential.token);
    if (!installation) throw new TypeError('an App credential without its installation token');
    const token = await installation.get(signal);
    try {
      return await fetchWith(token);
    } catch (error) {
      if (!isGitHubError(error, 'unauthorized')) throw error;
      installation.invalidate(token);
      return await fetchWith(await installation.get(signal));
    }
  }

  /** Registration tokens are refused now and then for no reason, most of all fresh ones. */
  async #register({ signal, endsAtMs }: ChainBounds) {
    const call = {
      transport: this.#transport,
      attempts: 6,
      policy: { baseMs: 1_000, maxMs: 10_000, minMs: 250 },
      budgetMs: chainTimeoutMs / 2,
      mayRetry: mayRegisterAgain,
      signal,
    };
    const token = await this.#registration.get(signal);
    return await retryCall(call, async (attempt) => {
      const current = attempt < 2 ? token : await this.#registration.get(signal);
      try {
        const bounds = { token: current, signal, endsAtMs };
        return await registerClient(this.#transport, this.configUrl, this.#credential, bounds);
      } catch (error) {
        // Refused twice: no longer the usual hiccup, so the next attempt brings a new token.
        const refused = isGitHubError(error, 'unauthorized', 'forbidden');
        if (refused && attempt === 1) this.#registration.invalidate(current);
        throw error;
      }
    });
  }
}

/** Keeps one `TokenSource` for each credential and config URL, so that clients share tokens. */
export class TokenSources {
  readonly #transport: GitHubTransport;
  readonly #sources = new Map<string, TokenSource>();
  readonly #installations = new Map<string, RenewingValue<Secret>>();

  constructor(transport: GitHubTransport) {
    this.#transport = transport;
  }

  /**
   * The source for this pair, the same one for an equal pair. Throws `ConfigError` when the
   * credential's `hosts` do not name the server of the config URL. Sends nothing.
   */
  get(configUrl: ConfigUrl, credential: Credential): TokenSource {
    checkHostAllowed(configUrl, credential);
    const key = `${configUrl.url} ${credentialKey(credential)}`;
    const known = this.#sources.get(key);
    if (known) return known;
    const installation =
      credential.kind === 'app' ? this.#installation(configUrl, credential) : undefined;
    const source = new TokenSource(this.#transport, configUrl, credential, installation);
    this.#sources.set(key, source);
    return source;
  }

  /** Forgets the tokens of all other credentials; what is under way with them is finished. */
  retain(credentials: Iterable<Credential>): void {
    const kept = [...credentials].map(credentialKey);
    for (const tokens of [this.#sources, this.#installations]) {
      for (const key of tokens.keys()) {
        if (!kept.some((name) => key.endsWith(` ${name}`))) tokens.delete(key);
      }
    }
  }

  #installation(configUrl: ConfigUrl, credential: AppCredential): RenewingValue<Secret> {
    const key = `${configUrl.restBaseUrl} ${credentialKey(credential)}`;
    const known = this.#installations.get(key);
    if (known) return known;
    const made = renewing(this.#transport, configUrl, 'installation token', (bounds) =>
      fetchInstallationToken(this.#transport, configUrl, credential, bounds),
    );
    this.#installations.set(key, made);
    return made;
  }
}

function renewing<T>(
  transport: GitHubTransport,
  { host }: ConfigUrl,
  name: string,
  load: (bounds: ChainBounds) => Promise<{ value: T; expiresAtMs: number }>,
): RenewingValue<T> {
  const { clock, random, log, closed } = transport;
  const limit = { what: `get ${name}`, host, timeoutMs: chainTimeoutMs, signal: closed };
  return new RenewingValue({
    clock,
    random,
    log,
    load: () => transport.within(limit, (signal, endsAtMs) => load({ signal, endsAtMs })),
  });
}

function mayRegisterAgain({ kind }: GitHubApiError): boolean {
  return ['unauthorized', 'forbidden', 'rate-limited', 'unavailable', 'degraded'].includes(kind);
}
