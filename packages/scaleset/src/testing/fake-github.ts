import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the fake says to one request. `hang` never answers, `reset` cuts the connection. */
export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  fault?: 'hang' | 'reset';
}

interface RecordedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** Set when the client went away before an answer. */
  cancelled: boolean;
}

export const tenantPath = '/tenant/abc';
const serviceCalls = `${tenantPath}/_apis/`;

/**
 * GitHub's REST API, Actions service and message queue in one HTTP server on 127.0.0.1, with
 * scripted answers. Strict: what is not scripted gets 501, and a call of the Actions service that
 * lacks a required part gets 400.
 */
export class FakeGitHub {
  readonly requests: RecordedRequest[] = [];
  readonly #server = createServer();
  readonly #scripts = new Map<string, Answer[]>();

  static async start(): Promise<FakeGitHub> {
    const fake = new FakeGitHub();
    fake.#listenToRequests();
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get host(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Scripts the answers to a route ("GET /path", without query), in order; the last one stays. */
  on(route: string, ...answers: Answer[]): void {
    this.#scripts.set(route, answers);
  }

  requestsTo(route: string): RecordedRequest[] {
    return this.requests.filter(({ method, path }) => `${method} ${path}` === route);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #listenToRequests(): void {
    this.#server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', this.url);
        const recorded = {
          method: request.method ?? '',
          path: url.pathname,
          query: url.searchParams,
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
          cancelled: false,
        };
        this.requests.push(recorded);
        response.on('close', () => {
          recorded.cancelled = !response.writableFinished;
        });
        this.#answer(recorded, response);
      });
    });
  }

  #answer(request: RecordedRequest, response: ServerResponse): void {
    const script = this.#scripts.get(`${request.method} ${request.path}`) ?? [];
    const scripted = script.length > 1 ? script.shift() : script[0];
    const answer = missingPart(request) ?? scripted ?? { status: 501, body: 'not scripted' };
    if (answer.fault === 'hang') return;
    if (answer.fault === 'reset') {
      response.destroy();
      return;
    }
    const { status = 200, body = '', headers = {} } = answer;
    response.writeHead(status, { activityid: 'act-1', 'x-github-request-id': 'req-1', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}

function missingPart({ path, query, headers }: RecordedRequest): Answer | undefined {
  if (!path.startsWith(serviceCalls)) return undefined;
  const agent = headers['user-agent'] ?? '';
  const complete =
    query.get('api-version') === '6.0-preview' &&
    headers['content-type'] === 'application/json' &&
    headers.authorization?.startsWith('Bearer ') &&
    agent.startsWith('{"system":"baton"');
  return complete ? undefined : { status: 400, body: `incomplete request: ${agent}` };
}

/** An unsigned JWT that ends at `endMs`. */
export function aJwt(endMs: number, id = 'admin'): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [part({ alg: 'none' }), part({ exp: Math.floor(endMs / 1000), jti: id }), 'sig'].join('.');
}
