import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Link } from './nats-proxy-link.ts';

/**
 * - `pass`: bytes go through.
 * - `partition`: they stop in both directions and sockets stay open; what was sent meanwhile, and the
 *   end of a connection, arrive when it is over.
 * - `delay`: each arrives so many ms later.
 */
export type ProxyMode =
  | { kind: 'pass' }
  | { kind: 'partition' }
  | { kind: 'delay'; delayMs: number };

/** What becomes of a publish that was held: it goes on, or its connection is cut for good. */
export type Verdict = 'go on' | 'cut';

/** A moment in the life of a publish at which a test may stop the world. */
export interface PublishHook {
  match: (subject: string) => boolean;
  /**
   * - `before`: neither it nor anything after it has reached the server.
   * - `after-reply-withheld`: the server has answered, and neither the answer nor anything after it has
   *   reached the client. Only for publishes that ask for an answer.
   */
  when: 'before' | 'after-reply-withheld';
  /** The direction stands still until this resolves. */
  hook: (subject: string) => Promise<Verdict>;
}

/** What the proxy does to all its connections, those to come included. */
export interface ProxyState {
  mode: ProxyMode;
  /** Resolves when the mode is no partition any more. */
  healed: Promise<void>;
  readonly hooks: Set<PublishHook>;
}

/** A TCP proxy on loopback before a nats-server, for clients that do not know of it. */
export class NatsProxy implements AsyncDisposable {
  readonly #target: URL;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #state: ProxyState = {
    mode: { kind: 'pass' },
    healed: Promise.resolve(),
    hooks: new Set(),
  };
  #heal: () => void = () => undefined;

  private constructor(target: URL, server: Server) {
    this.#target = target;
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  static async start(natsUrl: string): Promise<NatsProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new NatsProxy(new URL(natsUrl), server);
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return `nats://127.0.0.1:${address.port}`;
  }

  /** How many connections it carries. */
  get connections(): number {
    return this.#links.size;
  }

  /** From now on, for the connections of now and all to come. */
  setMode(mode: ProxyMode): void {
    this.#heal();
    this.#state.mode = mode;
    if (mode.kind !== 'partition') return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#state.healed = promise;
    this.#heal = resolve;
  }

  /** Resets every connection of now, at both ends. */
  reset(): void {
    for (const link of this.#links) link.cut();
  }

  /** Calls the hook at every publish that matches, until what is returned is called. */
  onPublish(hook: PublishHook): () => void {
    this.#state.hooks.add(hook);
    return () => void this.#state.hooks.delete(hook);
  }

  /** The next publish that matches is held; resolves when it is, with what lets it go. */
  async holdNext(hook: Omit<PublishHook, 'hook'>): Promise<(verdict: Verdict) => void> {
    const held = Promise.withResolvers<(verdict: Verdict) => void>();
    const remove = this.onPublish({
      ...hook,
      hook: async () => {
        remove();
        const { promise, resolve } = Promise.withResolvers<Verdict>();
        held.resolve(resolve);
        return await promise;
      },
    });
    return await held.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state.hooks.clear();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    this.#heal();
    await closed;
  }

  #accept(client: Socket): void {
    const { hostname, port } = this.#target;
    const server = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const link = new Link(client, server, this.#state);
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }
}

/** Close it with `await using`, or in `afterAll` by `proxy[Symbol.asyncDispose]()`. */
export async function startNatsProxy(natsUrl: string): Promise<NatsProxy> {
  return await NatsProxy.start(natsUrl);
}
