import { type Clock, withDeadline } from '@baton/shared/time';
import { type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { ProviderError } from '../provider-error.ts';
import { errorFromAnswer, errorFromFailure, KubernetesApiError } from './api-error.ts';
import type { Connection } from './connection.ts';
import { jsonLines } from './json-lines.ts';

export interface Call {
  /** For error texts: "create pod". */
  what: string;
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  body?: unknown;
}

interface ApiOptions {
  connection: Connection;
  clock: Clock;
  requestTimeoutMs: number;
}

/** How often a call is sent while the API server says that it has too much to do. */
const triesWhenBusy = 3;
const longestBusyWaitMs = 5_000;

/**
 * The API server, as far as it is needed. Plain JSON both ways: a typed client drops the fields that
 * it does not know from what it sends, and the server could then not refuse them.
 */
export class KubernetesApi {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #requestTimeoutMs: number;

  constructor({ connection, clock, requestTimeoutMs }: ApiOptions) {
    this.#connection = connection;
    this.#clock = clock;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /**
   * One call, with its answer read by `schema`.
   * @throws KubernetesApiError for a refusal, ProviderError `transient` without an answer, and the
   * signal's reason.
   */
  async call<S extends z.ZodType>(
    call: Call,
    schema: S,
    signal: AbortSignal,
  ): Promise<z.output<S>> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#once(call, schema, signal);
      } catch (error) {
        signal.throwIfAborted();
        const busy = error instanceof KubernetesApiError && error.status === 429;
        if (!busy || tries === triesWhenBusy) throw errorFromFailure(call.what, error);
        const waitMs = Math.min(error.retryAfterMs ?? 1_000, longestBusyWaitMs);
        await this.#clock.sleep(waitMs, signal);
      }
    }
  }

  /**
   * Opens a watch; resolves when the server has accepted it, and then gives its events until the server
   * ends it or the signal is aborted.
   */
  async watch(call: Call, signal: AbortSignal): Promise<AsyncIterable<unknown>> {
    try {
      const query = { ...call.query, watch: 'true' };
      const answer = await this.#withDeadline(call.what, signal, async () => {
        const opened = await this.#send({ ...call, query }, signal);
        if (opened.statusCode !== 200) throw await refusal(call.what, opened);
        return opened;
      });
      return jsonLines(answer.body);
    } catch (error) {
      signal.throwIfAborted();
      throw errorFromFailure(call.what, error);
    }
  }

  async #once<S extends z.ZodType>(
    call: Call,
    schema: S,
    signal: AbortSignal,
  ): Promise<z.output<S>> {
    return await this.#withDeadline(call.what, signal, async (within) => {
      const answer = await this.#send(call, within);
      if (answer.statusCode >= 300) throw await refusal(call.what, answer);
      const parsed = schema.safeParse(await answer.body.json());
      if (parsed.success) return parsed.data;
      const what = `${call.what}: the answer of the API server is not understood`;
      throw new ProviderError('transient', what, { cause: parsed.error });
    });
  }

  async #withDeadline<T>(
    what: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const clock = this.#clock;
    return await withDeadline({ clock, timeoutMs: this.#requestTimeoutMs, what, signal }, work);
  }

  async #send({ method, path, query = {}, body }: Call, signal: AbortSignal) {
    const { headers, dispatcher } = await this.#connection.access();
    const url = new URL(`${this.#connection.server}${path}`);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return await request(url, {
      method,
      dispatcher,
      signal,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': 'baton',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }
}

async function refusal(what: string, answer: Dispatcher.ResponseData) {
  const text = await answer.body.text();
  const retryAfter = answer.headers['retry-after'];
  return errorFromAnswer({
    what,
    status: answer.statusCode,
    text,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
  });
}
