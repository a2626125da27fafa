import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { mostAtOnce } from './decide-admission.ts';
import type { Network } from './network.ts';
import { proxyFor } from './proxy.ts';

/**
 * - `admin`: everything that is answered at once.
 * - `poll`: long polls; each holds a connection of its own, and never delays an admin call.
 */
export type PoolName = 'admin' | 'poll';

const common = {
  // One call at a time on a connection, so that a lost connection costs one call.
  pipelining: 1,
  allowH2: false,
  // Deadlines are set per call, by the injected clock.
  headersTimeout: 0,
  bodyTimeout: 0,
  maxResponseSize: 64 * 1024 * 1024,
} as const;

const connectTimeoutMs = 10_000;
/** More than the calls that a gate lets hang, so that acknowledgements never wait for those. */
const connections = { admin: 2 * mostAtOnce, poll: null } as const;

/** The connections of a process, direct or through a proxy, with its trusted certificates. */
export class Agents {
  readonly #network: Network;
  readonly #made = new Map<string, Dispatcher>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** What sends to this URL; the same for all calls of one pool that go the same way. */
  get(pool: PoolName, url: URL): Dispatcher {
    const proxy = proxyFor(url, this.#network.proxies)?.reveal();
    const key = `${pool} ${proxy ?? ''}`;
    const dispatcher = this.#made.get(key) ?? this.#make(pool, proxy);
    this.#made.set(key, dispatcher);
    return dispatcher;
  }

  /** Ends all connections; calls under way reject. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#made.values()].map((dispatcher) => dispatcher.destroy()));
  }

  #make(pool: PoolName, proxy: string | undefined): Dispatcher {
    const { trust } = this.#network;
    const connect = {
      timeout: connectTimeoutMs,
      ...(trust === undefined ? {} : { secureContext: trust }),
    };
    const options = { ...common, connections: connections[pool] };
    if (proxy === undefined) return new Agent({ ...options, connect });
    return new ProxyAgent({ ...options, uri: proxy, requestTls: connect, proxyTls: connect });
  }
}
