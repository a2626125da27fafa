import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '@baton/shared/time';
import { z } from 'zod';
import { decodeProtobuf } from './otlp-messages.ts';
import { metricsIn, metricsSchema, type ReceivedMetric } from './read-metrics.ts';
import { type ReceivedSpan, spansIn, tracesSchema } from './read-spans.ts';

/** A request that was taken or not. */
interface AskedExport {
  path: string;
  headers: IncomingHttpHeaders;
}

/**
 * How a collector behaves: `take` as it should; `slow` the same after 300 ms; `hang` never answers; `drip`
 * answers byte by byte without end; `reset` breaks off; `garbage` answers 200 with what is no answer; a
 * number is a status without a body.
 */
type Behaviour = 'take' | 'slow' | 'hang' | 'drip' | 'reset' | 'garbage' | number;

const slowMs = 300;
const dripMs = 50;

/**
 * A collector for OTLP over HTTP, on 127.0.0.1, which insists on what the specification says: other
 * requests are answered with 4xx and remembered as violations.
 */
export interface OtlpReceiver extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** Everything that was taken, in its order. */
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: readonly ReceivedMetric[];
  readonly asked: readonly AskedExport[];
  /** What was wrong with requests; a test ends by expecting none. */
  readonly violations: readonly string[];
  /** From now on. What hangs is let go of when that ends. */
  behave(how: Behaviour): void;
}

class Violation extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const json = 'application/json';
const protobuf = 'application/x-protobuf';
const mostBytes = 16 * 1024 * 1024;

interface ReceiverOptions {
  /** For `localhost`; without it there is no encryption. */
  tls?: { cert: string; key: string };
}

export async function startOtlpReceiver({ tls }: ReceiverOptions = {}): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const asked: AskedExport[] = [];
  const violations: string[] = [];
  let behaviour: Behaviour = 'take';
  const take = async (request: IncomingMessage) => {
    const { path, type, message } = await readExport(request);
    if (path === '/v1/traces') spans.push(...spansIn(parse(tracesSchema, message)));
    else metrics.push(...metricsIn(parse(metricsSchema, message)));
    return type;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    asked.push({ path: request.url ?? '', headers: request.headers });
    if (behaviour !== 'take' && behaviour !== 'slow') {
      return misbehave(behaviour, request, response);
    }
    if (behaviour === 'slow') await systemClock.sleep(slowMs);
    try {
      const type = await take(request);
      // An empty message in either form.
      response.writeHead(200, { 'content-type': type }).end(type === json ? '{}' : '');
    } catch (error) {
      const status = error instanceof Violation ? error.status : 400;
      violations.push(`${request.method} ${request.url}: ${String(error)}`);
      response.writeHead(status, { 'content-type': json }).end(JSON.stringify({ message: 'no' }));
    }
  };
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    void answer(request, response);
  const server = tls ? createSecureServer(tls, handle) : createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    spans,
    metrics,
    asked,
    violations,
    behave: (how) => {
      behaviour = how;
      if (how !== 'hang') server.closeAllConnections();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function misbehave(how: Behaviour, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (how === 'reset') request.socket.destroy();
  else if (how === 'garbage') response.writeHead(200, { 'content-type': protobuf }).end('\xff\0no');
  else if (how === 'drip') {
    response.writeHead(200, { 'content-type': protobuf });
    const drip = setInterval(() => response.write('\0'), dripMs);
    response.once('close', () => clearInterval(drip));
  } else if (typeof how === 'number') response.writeHead(how).end();
}

async function readExport(request: IncomingMessage) {
  const { method, url: path, headers } = request;
  if (path !== '/v1/traces' && path !== '/v1/metrics') throw new Violation(404, 'unknown path');
  if (method !== 'POST') throw new Violation(405, 'not POST');
  const type = headers['content-type'];
  if (type !== json && type !== protobuf) throw new Violation(415, `content-type ${type}`);
  const body = unpack(await readBody(request), headers['content-encoding']);
  return { path, type, message: decode(path, type, body) };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Violation(413, 'too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unpack(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === undefined) return body;
  if (encoding !== 'gzip') throw new Violation(415, `content-encoding ${encoding}`);
  return gunzipSync(body, { maxOutputLength: mostBytes });
}

function decode(path: string, type: string, body: Buffer): unknown {
  if (type === json) return JSON.parse(body.toString('utf8'));
  return decodeProtobuf(path === '/v1/traces' ? 'Traces' : 'Metrics', body);
}

function parse<S extends z.ZodType>(schema: S, message: unknown): z.infer<S> {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new Violation(400, z.prettifyError(parsed.error));
}
