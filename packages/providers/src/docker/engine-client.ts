import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import type { EngineConnection } from './engine-agent.ts';
import { EngineFailure, EngineUnreachable } from './engine-failure.ts';

interface EngineCall {
  method: 'GET' | 'POST' | 'DELETE';
  /** Without the API version. */
  path: string;
  query?: Record<string, string | number | boolean>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  tar?: Readable;
  headers?: Record<string, string>;
  /** Statuses above 399 that are answers, not failures. */
  expect?: readonly number[];
}

interface EngineAnswer {
  status: number;
  /** Undefined when there is none. */
  body: unknown;
  /** When the engine answered, by its own clock, in ms since 1970; whole seconds. */
  answeredAtMs: number | undefined;
}

const failureSchema = z.object({ message: z.string() });
const versionSchema = z.object({ ApiVersion: z.string(), MinAPIVersion: z.string() });

/** What Docker 20.10 speaks; younger engines may ask for more. */
const wantedVersion = '1.41';

/**
 * The Docker Engine API over undici. Not dockerode: its calls never settle when the engine dies in
 * the middle of an answer, its DOCKER_HOST overrules the address it is given, and it costs 34 MB.
 */
export class EngineClient {
  readonly #connection: EngineConnection;
  #version: string | undefined;

  constructor(connection: EngineConnection) {
    this.#connection = connection;
  }

  /**
   * @throws EngineFailure for an answer above 399 that is not expected, EngineUnreachable when there
   * was no whole answer, and the signal's reason.
   */
  async call(call: EngineCall, signal: AbortSignal): Promise<EngineAnswer> {
    const version = await this.#negotiate(signal);
    return await this.#send(call, `/v${version}`, signal);
  }

  /** The lines of an answer as they come, each one parsed. Ends with the answer. */
  async *stream(call: EngineCall, signal: AbortSignal): AsyncGenerator<unknown, void> {
    const version = await this.#negotiate(signal);
    try {
      const { statusCode, body } = await this.#request(call, `/v${version}`, signal);
      if (statusCode >= 400) throw failureOf(statusCode, await body.text());
      let rest = '';
      for await (const chunk of body.setEncoding('utf8')) {
        const lines = `${rest}${String(chunk)}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim()) yield JSON.parse(line);
      }
      if (rest.trim()) yield JSON.parse(rest);
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  async #negotiate(signal: AbortSignal): Promise<string> {
    this.#version ??= chooseVersion(
      await this.#send({ method: 'GET', path: '/version' }, '', signal),
    );
    return this.#version;
  }

  async #send(call: EngineCall, prefix: string, signal: AbortSignal): Promise<EngineAnswer> {
    try {
      const response = await this.#request(call, prefix, signal);
      const text = await response.body.text();
      const { statusCode: status, headers } = response;
      if (status >= 400 && !call.expect?.includes(status)) throw failureOf(status, text);
      const answeredAtMs = Date.parse(String(headers.date)) || undefined;
      return { status, body: parseJson(text), answeredAtMs };
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  async #request(
    { method, path, query, body, tar, headers }: EngineCall,
    prefix: string,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    const { agent, origin } = this.#connection;
    const sent = tar ?? (body === undefined ? undefined : JSON.stringify(body));
    const type = tar ? 'application/x-tar' : 'application/json';
    return await request(`${origin}${prefix}${path}`, {
      dispatcher: agent,
      method,
      signal,
      ...(query ? { query } : {}),
      headers: { ...(sent === undefined ? {} : { 'content-type': type }), ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
  }

  #explain(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof EngineFailure) {
      if (/client version .* too (old|new)/i.test(error.message)) this.#version = undefined;
      return error;
    }
    // It may come back as another version.
    this.#version = undefined;
    return new EngineUnreachable(error);
  }
}

function chooseVersion({ body }: EngineAnswer): string {
  const { ApiVersion: newest, MinAPIVersion: oldest } = versionSchema.parse(body);
  if (isBelow(newest, wantedVersion))
    throw new EngineFailure(
      403,
      `it speaks API ${newest}; needed is ${wantedVersion} (Docker 20.10)`,
    );
  return isBelow(wantedVersion, oldest) ? oldest : wantedVersion;
}

function isBelow(a: string, b: string): boolean {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA === majorB ? minorA < minorB : majorA < majorB;
}

function failureOf(status: number, text: string): EngineFailure {
  const body = failureSchema.safeParse(parseJson(text)).data;
  return new EngineFailure(status, body?.message ?? `answered ${status}`);
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
