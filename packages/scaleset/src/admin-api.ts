import type { StatusMeaning } from './classify.ts';
import { GitHubApiError, type GitHubErrorKind, isGitHubError } from './errors.ts';
import type { AdminConnection } from './rest-auth.ts';
import { retryCall } from './retry.ts';
import type { TokenSource } from './token-source.ts';
import type { CallOptions, GitHubTransport, HttpAnswer, HttpCall } from './transport.ts';

/** One call of the Actions service, as data. */
export interface AdminCall<T> {
  what: string;
  method: HttpCall['method'];
  /** Under the service's base URL, without a slash in front. */
  path: string;
  query?: Record<string, string>;
  /** JSON text. */
  body?: string;
  scaleSetId?: number;
  meaning?: StatusMeaning;
  read: (answer: HttpAnswer, context: { what: string; host: string }) => T;
  /** Failures that are an answer to this call. */
  expected?: ReadonlyMap<GitHubErrorKind, { answer: T }>;
}

interface AdminApiOptions {
  transport: GitHubTransport;
  tokens: TokenSource;
}

const getAttempts = 4;
const getBackoff = { baseMs: 250, maxMs: 4_000, minMs: 100 };

/**
 * Calls of the Actions service. A GET is tried up to four times while the service is unavailable,
 * degraded or limiting; nothing else is repeated, but for a token that was refused: it is renewed
 * and the call made again, once. All of it happens within one deadline.
 */
export class AdminApi {
  readonly #transport: GitHubTransport;
  readonly #tokens: TokenSource;

  constructor({ transport, tokens }: AdminApiOptions) {
    this.#transport = transport;
    this.#tokens = tokens;
  }

  call<T>(call: AdminCall<T>, { signal: outer }: CallOptions = {}): Promise<T> {
    const limit = {
      what: call.what,
      host: this.#tokens.configUrl.host,
      timeoutMs: this.#transport.adminTimeoutMs,
      signal: outer,
    };
    return this.#transport.within(limit, async (signal) => {
      const connection = await this.#tokens.connection(signal);
      try {
        return await this.#sendRepeatedly(call, connection, signal);
      } catch (error) {
        if (!isGitHubError(error, 'unauthorized')) throw error;
        this.#tokens.invalidate(connection);
        return await this.#sendRepeatedly(call, await this.#tokens.connection(signal), signal);
      }
    });
  }

  #sendRepeatedly<T>(
    call: AdminCall<T>,
    connection: AdminConnection,
    signal: AbortSignal,
  ): Promise<T> {
    const options = {
      transport: this.#transport,
      attempts: call.method === 'GET' ? getAttempts : 1,
      policy: getBackoff,
      budgetMs: this.#transport.adminTimeoutMs,
      mayRetry: ({ kind }: GitHubApiError) =>
        ['unavailable', 'degraded', 'rate-limited'].includes(kind),
      signal,
    };
    return retryCall(options, () => this.#send(call, connection, signal));
  }

  async #send<T>(call: AdminCall<T>, connection: AdminConnection, signal: AbortSignal): Promise<T> {
    const url = serviceUrl(connection.baseUrl, call.path, call.query);
    try {
      const answer = await this.#transport.send({
        ...call,
        headers: jsonHeaders,
        url,
        auth: { scheme: 'Bearer', token: connection.token },
        signal,
      });
      return call.read(answer, { what: call.what, host: url.host });
    } catch (error) {
      const expected = error instanceof GitHubApiError && call.expected?.get(error.kind);
      if (!expected) throw error;
      return expected.answer;
    }
  }
}

export const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json' };

/** A path under the tenant URL, which may have a path and a query of its own. */
export function serviceUrl(baseUrl: URL, path: string, query: Record<string, string> = {}): URL {
  const url = new URL(baseUrl);
  url.pathname = `${baseUrl.pathname.replace(/\/+$/, '')}/${path}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  url.searchParams.set('api-version', '6.0-preview');
  return url;
}
