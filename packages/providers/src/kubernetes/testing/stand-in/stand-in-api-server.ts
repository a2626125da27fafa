import { once } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { json } from 'node:stream/consumers';
import { makePrivateCa } from '@baton/testkit';
import type { ApiServer } from '../cluster.ts';
import { ApiStatus, badRequest } from './api-status.ts';
import { adminName, authorize } from './authorize.ts';
import { handleRequest, selectorOf } from './handle-request.ts';
import { ObjectStore } from './object-store.ts';
import { type Route, readRoute } from './route.ts';
import { WatchStream } from './watch-stream.ts';

/** A refusal to be given instead of an answer. */
interface Fault {
  method: string;
  path: RegExp;
  /** Any, where absent. */
  query?: RegExp;
  code?: number;
  retryAfterSeconds?: number;
  /** Cuts the connection instead of answering, after or before the request has taken effect. */
  cut?: 'before' | 'after' | undefined;
  /** Never answers, and does nothing. */
  hangs?: boolean;
}

const adminToken = 'admin-token';
const users = Array.from({ length: 200 }, (_, n) => ({ name: `user-${n}`, token: `token-${n}` }));

/**
 * An API server of Kubernetes as far as runners need it, after its public description: pods, secrets,
 * quotas, RBAC, watches. Strict where the real one is: the same suite runs against both. It has no
 * controllers: like a bare kube-apiserver, it moves no pod by itself.
 */
export class StandInApiServer implements ApiServer {
  readonly store = new ObjectStore();
  readonly adminToken = adminToken;
  readonly users = users;
  /** Requests served, as `verb resource`. */
  readonly served: string[] = [];
  readonly ca: string;
  /** The minor version that it says it has. */
  minor = '33';
  #faults: Fault[] = [];
  #isNextExpired = false;
  readonly #server: Server;
  readonly #watches = new Set<WatchStream>();

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.ca = ca;
    const namespaces = { resource: 'namespaces', namespace: '' };
    this.store.create(namespaces, { metadata: { name: 'default', uid: '', resourceVersion: '' } });
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<StandInApiServer> {
    const authority = await makePrivateCa();
    const server = createServer(await authority.issue({ hosts: ['localhost'] }));
    // As long as the real one keeps idle connections.
    server.keepAliveTimeout = 90_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new StandInApiServer(server, authority.root);
  }

  get url(): string {
    const address = this.#server.address();
    return `https://localhost:${typeof address === 'object' && address ? address.port : 0}`;
  }

  async close(): Promise<void> {
    this.dropWatches();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** The next request that fits is refused like this. */
  failNext(fault: Fault): void {
    this.#faults.push(fault);
  }

  dropWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  /** Open watches tell nothing any more and stay open. */
  silenceWatches(): void {
    for (const watch of this.#watches) watch.isSilent = true;
  }

  sendBookmarks(): void {
    for (const watch of this.#watches) watch.bookmark();
  }

  /** The next watch begins with the news that what it asks for is forgotten: 410 within the stream. */
  expireNextWatch(): void {
    this.#isNextExpired = true;
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', this.url);
      const body = request.headers['content-length'] ? await json(request) : undefined;
      const fault = this.#takeFault(request, url, response);
      if (fault?.hangs) return;
      if (fault?.cut === 'before') {
        request.socket.destroy();
        return;
      }
      const isCut = fault?.cut === 'after';
      // An answer that is connected to nothing.
      const heard = isCut ? new ServerResponse(request) : response;
      this.#answer({ request, response: heard, url, body });
      if (isCut) request.socket.destroy();
    } catch (error) {
      const status = error instanceof ApiStatus ? error : badRequest(String(error));
      send(response, status.code, status);
    }
  }

  #takeFault(request: IncomingMessage, url: URL, response: ServerResponse): Fault | undefined {
    const fits = ({ method, path, query }: Fault) =>
      method === request.method && path.test(url.pathname) && (query?.test(url.search) ?? true);
    const fault = this.#faults.find(fits);
    if (!fault) return undefined;
    this.#faults = this.#faults.filter((other) => other !== fault);
    if (fault.cut || fault.hangs) return fault;
    const { retryAfterSeconds } = fault;
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
    throw new ApiStatus(fault.code ?? 500, 'InternalError', 'made to fail');
  }

  #answer({ request, response, url, body }: Exchange): void {
    const user = this.#authenticate(request);
    if (url.pathname === '/version') {
      send(response, 200, { major: '1', minor: this.minor, gitVersion: `v1.${this.minor}.0` });
      return;
    }
    const route = readRoute(request.method ?? '', url);
    this.served.push(`${route.verb} ${route.resource}`);
    authorize(this.store, user, route);
    const query = url.searchParams;
    if (route.verb === 'watch') {
      this.#openWatch(response, route, query);
      return;
    }
    refuseType(request, body);
    const answer = handleRequest(this.store, { route, query, body });
    send(response, answer.code, answer.body);
  }

  #openWatch(response: ServerResponse, route: Route, query: URLSearchParams): void {
    if (this.#isNextExpired) {
      this.#isNextExpired = false;
      this.store.advance();
      this.store.compact();
    }
    const { resource, namespace } = route;
    const options = { collection: { resource, namespace }, isSelected: selectorOf(query), query };
    const watch = new WatchStream(this.store, response, options);
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
  }

  #authenticate(request: IncomingMessage): string {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    if (token === adminToken) return adminName;
    const user = users.find((known) => known.token === token);
    if (user) return user.name;
    throw new ApiStatus(401, 'Unauthorized', 'Unauthorized');
  }
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  body: unknown;
}

const types = ['application/json', 'application/merge-patch+json'];

function refuseType({ headers }: IncomingMessage, body: unknown): void {
  if (body === undefined || types.includes(headers['content-type'] ?? '')) return;
  const message = `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`;
  throw new ApiStatus(415, 'UnsupportedMediaType', message);
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
