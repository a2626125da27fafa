import type { StatusMeaning } from './classify.ts';
import type { CallPriority } from './decide-admission.ts';
import { GitHubApiError, type GitHubErrorKind, isGitHubError } from './errors.ts';
import type { AdminConnection } from './rest-auth.ts';
import { retryCall } from './retry.ts';
import type { Tokens } from './token-source.ts';
import type { CallOptions, GitHubTransport, HttpAnswer, HttpCall } from './transport.ts';

/** One call of the Actions service, as data. */
export interface AdminCall<T> {
  what: string;
  /** Who goes first while GitHub limits calls. */
  priority: CallPriority;
  method: HttpCall['method'];
  /** Under the service's base URL, without a slash in front. */
  path: string;
  query?: Record<string, string>;
  /** JSON text. */
  body?: string;
  scaleSetId?: number;
  meaning?: StatusMeaning;
  /** A long answer may be read in slices. */
  read: (answer: HttpAnswer, context: { what: string; host: string }) => T | Promise<T>;
  /** Failures that are an answer to this call. */
  expected?: ReadonlyMap<GitHubErrorKind, { answer: T }>;
}

interface AdminApiOptions {
  transport: GitHubTransport;
  tokens: Tokens;
}

interface CallBounds extends Pick<CallOptions, 'onSend'> {
  signal: AbortSignal;
  /** Of the monotonic clock. */
  endsAtMs: number;
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
  readonly #tokens: Tokens;

  constructor({ transport, tokens }: AdminApiOptions) {
    this.#transport = transport;
    this.#tokens = tokens;
  }

  call<T>(call: AdminCall<T>, { signal: outer, onSend }: CallOptions = {}): Promise<T> {
    const limit = {
      what: call.what,
      host: this.#tokens.configUrl.host,
      timeoutMs: this.#transport.adminTimeoutMs,
      signal: outer,
    };
    return this.#transport.within(limit, async (signal, endsAtMs) => {
      const bounds = { signal, endsAtMs, onSend };
      const connection = await this.#tokens.connection(signal);
      try {
        return await this.#sendRepeatedly(call, connection, bounds);
      } catch (error) {
        if (!isGitHubError(error, 'unauthorized')) throw error;
        this.#tokens.invalidate(connection);
        const renewed = await this.#tokens.connection(signal);
        return await this.#sendRepeatedly(call, renewed, bounds);
      }
    });
  }

  #sendRepeatedly<T>(
    call: AdminCall<T>,
    connection: AdminConnection,
    bounds: CallBounds,
  ): Promise<T> {
    const options = {
      transport: this.#transport,
      attempts: call.method === 'GET' ? getAttempts : 1,
      policy: getBackoff,
      budgetMs: this.#transport.adminTimeoutMs,
      mayRetry: ({ kind }: GitHubApiError) =>
        ['unavailable', 'degraded', 'rate-limited'].includes(kind),
      signal: bounds.signal,
    };
    return retryCall(options, () => this.#send(call, connection, bounds));
  }

  async #send<T>(
    call: AdminCall<T>,
    connection: AdminConnection,
    { signal, endsAtMs, onSend }: CallBounds,
  ): Promise<T> {
    const url = serviceUrl(connection.baseUrl, call.path, call.query);
    try {
      const answer = await this.#transport.send({
        ...call,
        headers: jsonHeaders,
        url,
        auth: { scheme: 'Bearer', token: connection.token },
        limit: { ...serviceLimit(url), priority: call.priority, endsAtMs },
        signal,
        onSend,
      });
      return await call.read(answer, { what: call.what, host: url.host });
    } catch (error) {
      const expected = error instanceof GitHubApiError && call.expected?.get(error.kind);
      if (!expected) throw error;
      return expected.answer;
    }
  }
}

/** What calls of one Actions service share, whatever the credential. */
export function serviceLimit({ host }: URL): { key: string; api: 'service' } {
  return { key: `service ${host}`, api: 'service' };
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
