import type { Secret } from '@baton/shared/config';
import { errorText, TimeoutError } from '@baton/shared/errors';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';
import { request } from 'undici';
import { Agents } from './agents.ts';
import { CallGate, type LimitReport } from './call-gate.ts';
import { errorFromResponse, type StatusMeaning } from './classify.ts';
import type { CallPriority } from './decide-admission.ts';
import { GitHubApiError } from './errors.ts';
import { explainConnectFailure } from './explain-connect-failure.ts';
import { GitHubMetrics } from './github-metrics.ts';
import { directNetwork, type Network } from './network.ts';
import { readServerTime } from './rate-limit.ts';
import { ServerClocks } from './server-clocks.ts';

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
  /** The proxies and certificates in between. Default: none. */
  network?: Network;
}

/** How a call shares what GitHub limits. */
export interface CallLimit {
  /** Calls with the same key share one limit. */
  key: string;
  api: 'rest' | 'service';
  priority: CallPriority;
  /** Whose limit it is, as `credentialKey` says it; absent where all share it. */
  credential?: string;
  /** The deadline of the call, of the monotonic clock. */
  endsAtMs: number;
}

/** Options that every call takes. */
export interface CallOptions {
  /** Cancels the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Told when the request is about to be sent: from now on its effect is unknown until it is answered. */
  onSend?: (() => void) | undefined;
}

export interface HttpCall {
  /** What is being done, for error texts and metrics: "create session". One of few. */
  what: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: URL;
  pool?: 'admin' | 'poll';
  auth: { scheme: 'Bearer' | 'RemoteAuth'; token: Secret };
  headers?: Record<string, string>;
  body?: string | undefined;
  scaleSetId?: number | undefined;
  meaning?: StatusMeaning | undefined;
  /** Absent for polls and acknowledgements only: those never wait behind other calls. */
  limit?: CallLimit;
  signal: AbortSignal;
  onSend?: CallOptions['onSend'];
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
  readonly network: Network;
  readonly #agents: Agents;
  readonly clocks = new ServerClocks();
  readonly metrics = new GitHubMetrics();
  readonly #gates = new Map<string, CallGate>();
  readonly #closed = new AbortController();

  constructor(options: TransportOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.adminTimeoutMs = options.adminTimeoutMs ?? 30_000;
    this.pollTimeoutMs = options.pollTimeoutMs ?? 75_000;
    this.#identity = options.identity;
    this.network = options.network ?? directNetwork;
    this.#agents = new Agents(this.network);
  }

  /** Aborted by `close()`. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Ends all connections; calls that are still under way reject. May be called twice. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the GitHub transport was closed'));
    await this.#agents.destroy();
  }

  /** The limits that calls have met or been told of, for people. */
  limits(): LimitReport[] {
    return [...this.#gates.values()].map((gate) => gate.report());
  }

  /**
   * Sends one request, once, when its limit lets it. Resolves for 2xx; any other answer and every
   * lost connection is a `GitHubApiError`. Redirects are not followed, so a token never leaves for
   * another host.
   */
  async send(call: HttpCall): Promise<HttpAnswer> {
    const { limit, what, signal } = call;
    if (!limit) return await this.#sendNow(call);
    return await this.#gate(limit, call.url.host).run({ ...limit, what, signal }, () =>
      this.#sendNow(call),
    );
  }

  #gate({ key, api, credential }: CallLimit, host: string): CallGate {
    const { clock, random, log, closed } = this;
    const gate =
      this.#gates.get(key) ?? new CallGate({ clock, random, log, host, api, credential, closed });
    this.#gates.set(key, gate);
    return gate;
  }

  async #sendNow(call: HttpCall): Promise<HttpAnswer> {
    call.onSend?.();
    const sentMs = this.clock.monotonic();
    try {
      const answer = await this.#exchange(call);
      this.#refuse(answer, call);
      this.metrics.tell(call.what, this.clock.monotonic() - sentMs);
      return answer;
    } catch (error) {
      this.metrics.tell(call.what, this.clock.monotonic() - sentMs, error);
      throw error;
    }
  }

  /** Throws unless the answer is one of success. */
  #refuse(answer: HttpAnswer, call: HttpCall): void {
    if (answer.status >= 200 && answer.status < 300) return;
    const token = call.auth.token.reveal().trim();
    throw errorFromResponse(answer, {
      what: call.what,
      host: call.url.host,
      nowMs: readServerTime(answer) ?? this.clock.now(),
      meaning: call.meaning,
      redact: (text) => (token ? text.replaceAll(token, '[secret]') : text),
    });
  }

  /**
   * Runs `work` with a deadline, also told as a time of the monotonic clock. Passing it is
   * `unavailable`; the caller's own abort stays itself.
   */
  async within<T>(
    limit: { what: string; host: string; timeoutMs: number; signal?: AbortSignal | undefined },
    work: (signal: AbortSignal, endsAtMs: number) => Promise<T>,
  ): Promise<T> {
    const endsAtMs = this.clock.monotonic() + limit.timeoutMs;
    try {
      return await withDeadline({ clock: this.clock, ...limit }, (signal) =>
        work(signal, endsAtMs),
      );
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
    const sentMs = this.clock.now();
    try {
      const response = await request(url, {
        dispatcher: this.#agents.get(pool, url),
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
      const receivedMs = this.clock.now();
      const header = (name: string) => [response.headers[name]].flat()[0];
      if (pool === 'admin') {
        const serverMs = readServerTime({ header });
        this.clocks.observe(url.host, { sentMs, receivedMs, serverMs });
      }
      return { status: response.statusCode, text: await response.body.text(), header };
    } catch (error) {
      signal.throwIfAborted();
      const explained = await explainConnectFailure(error, { url, network: this.network, signal });
      throw new GitHubApiError(
        explained === undefined
          ? `${call.what}: no answer from ${url.host} to ${call.method} ${url.pathname}: ${errorText(error)}`
          : `${call.what} at ${url.host}: ${explained}`,
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
