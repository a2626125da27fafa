import type { Secret } from '@baton/shared/config';
import { errorText, TimeoutError } from '@baton/shared/errors';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';
import { request } from 'undici';
import { createAgents } from './agents.ts';
import { errorFromResponse, type StatusMeaning } from './classify.ts';
import { GitHubApiError } from './errors.ts';

/** Who calls, for GitHub's logs. */
export interface ClientIdentity {
  /** The product: "baton". */
  system: string;
  version: string;
  commitSha: string;
  /** The part of the product: "listener". */
  subsystem: string;
}

export interface TransportOptions {
  clock: Clock;
  random: Random;
  log: Logger;
  identity: ClientIdentity;
  /** Deadline of an admin call with its retries, in ms. Default 30 s. */
  adminTimeoutMs?: number;
  /** Deadline of a long poll, in ms; GitHub answers after about 50 s. Default 75 s. */
  pollTimeoutMs?: number;
}

/** Options that every call takes. */
export interface CallOptions {
  /** Cancels the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface HttpCall {
  /** What is being done, for error texts: "create session". */
  what: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: URL;
  pool?: 'admin' | 'poll';
  auth: { scheme: 'Bearer' | 'RemoteAuth'; token: Secret };
  headers?: Record<string, string>;
  body?: string | undefined;
  scaleSetId?: number | undefined;
  meaning?: StatusMeaning | undefined;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  text: string;
  header(name: string): string | undefined;
}

/** HTTP to GitHub. Owns the connections; make one per process and `close()` it at the end. */
export class GitHubTransport {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly adminTimeoutMs: number;
  readonly pollTimeoutMs: number;
  readonly #identity: ClientIdentity;
  readonly #agents = createAgents();
  readonly #closed = new AbortController();

  constructor(options: TransportOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.adminTimeoutMs = options.adminTimeoutMs ?? 30_000;
    this.pollTimeoutMs = options.pollTimeoutMs ?? 75_000;
    this.#identity = options.identity;
  }

  /** Aborted by `close()`. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Ends all connections; calls that are still under way reject. May be called twice. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the GitHub transport was closed'));
    await Promise.all([this.#agents.admin.destroy(), this.#agents.poll.destroy()]);
  }

  /**
   * Sends one request, once. Resolves for 2xx; any other answer and every lost connection is a
   * `GitHubApiError`. Redirects are not followed, so a token never leaves for another host.
   */
  async send(call: HttpCall): Promise<HttpAnswer> {
    const answer = await this.#exchange(call);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const token = call.auth.token.reveal().trim();
    throw errorFromResponse(answer, {
      what: call.what,
      host: call.url.host,
      nowMs: this.clock.now(),
      meaning: call.meaning,
      redact: (text) => (token ? text.replaceAll(token, '[secret]') : text),
    });
  }

  /** Runs `work` with a deadline. Passing it is `unavailable`; the caller's own abort stays itself. */
  async within<T>(
    limit: { what: string; host: string; timeoutMs: number; signal?: AbortSignal | undefined },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await withDeadline({ clock: this.clock, ...limit }, work);
    } catch (error) {
      if (!(error instanceof TimeoutError) || limit.signal?.aborted) throw error;
      throw new GitHubApiError(
        `${limit.what}: ${limit.host} did not answer within ${limit.timeoutMs} ms`,
        { kind: 'unavailable', host: limit.host },
        { cause: error },
      );
    }
  }

  async #exchange({ url, pool = 'admin', signal, ...call }: HttpCall): Promise<HttpAnswer> {
    try {
      const response = await request(url, {
        dispatcher: this.#agents[pool],
        method: call.method,
        headers: {
          'user-agent': this.#userAgent(call.scaleSetId),
          ...call.headers,
          // Trimmed: a token read from a file often ends with a line break.
          authorization: `${call.auth.scheme} ${call.auth.token.reveal().trim()}`,
        },
        body: call.body ?? null,
        signal,
      });
      const text = await response.body.text();
      return {
        status: response.statusCode,
        text,
        header: (name) => [response.headers[name]].flat()[0],
      };
    } catch (error) {
      signal.throwIfAborted();
      throw new GitHubApiError(
        `${call.what}: no answer from ${url.host} to ${call.method} ${url.pathname}: ${errorText(error)}`,
        { kind: 'unavailable', host: url.host },
        { cause: error },
      );
    }
  }

  /** A JSON object, as GitHub's own client sends it (actions/scaleset, client.go). */
  #userAgent(scaleSetId: number | undefined): string {
    const { system, version, commitSha, subsystem } = this.#identity;
    return JSON.stringify({
      system,
      version,
      commit_sha: commitSha,
      scale_set_id: scaleSetId ?? 0,
      subsystem,
      build_version: version,
      build_commit_sha: commitSha,
      kind: 'scaleset',
    });
  }
}
