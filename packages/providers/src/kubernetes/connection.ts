import { ConfigError, errorText } from '@baton/shared/errors';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { z } from 'zod';
import type { KubernetesDefinition } from './definition.ts';

/** Who we are to the API server at the moment, and the connections to it. */
export interface Access {
  headers: Record<string, string>;
  dispatcher: Dispatcher;
}

/** What the library makes of a kubeconfig's user and cluster. */
const optionsSchema = z.object({
  headers: z.record(z.string(), z.string()).default({}),
  auth: z.string().optional(),
  ca: z.instanceof(Buffer).optional(),
  cert: z.union([z.instanceof(Buffer), z.string()]).optional(),
  key: z.union([z.instanceof(Buffer), z.string()]).optional(),
  rejectUnauthorized: z.boolean().optional(),
  servername: z.string().optional(),
});

/**
 * Reads the kubeconfig, or the service account of the pod, with the library, which knows all their
 * ways to log in. Loaded when it is needed: it costs half a second and 85 MB.
 * @throws ConfigError
 */
export async function loadKubeConfig(definition: KubernetesDefinition): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  const { kubeconfig, context } = definition;
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    // Without the cause: the parser quotes lines, which may hold a token.
    const said = errorText(error).split('\n')[0];
    throw new ConfigError(`kubeconfig ${kubeconfig ?? '(in cluster)'} cannot be read: ${said}`);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || !URL.canParse(server)) throw new ConfigError(noServer(definition));
  return config;
}

function noServer({ kubeconfig, context }: KubernetesDefinition): string {
  if (kubeconfig === undefined)
    return 'the kubernetes provider is not in a pod: set its `kubeconfig`, or run it in the cluster';
  const which = context === undefined ? 'its current context' : `the context ${context}`;
  return `kubeconfig ${kubeconfig} names no cluster for ${which}`;
}

/**
 * The connections to one API server. Tokens and certificates are asked of the library for every call,
 * because they change while a service runs; connections are kept as long as the certificates stay the
 * same. (The library's own client makes connections anew for every call.)
 */
export class Connection {
  readonly server: string;
  readonly #config: KubeConfig;
  #current: { key: string; dispatcher: Dispatcher } | undefined;

  constructor(config: KubeConfig) {
    this.#config = config;
    this.server = config.getCurrentCluster()?.server ?? '';
  }

  async access(): Promise<Access> {
    const applied = {};
    await this.#config.applyToHTTPSOptions(applied);
    const { headers, auth, ...tls } = optionsSchema.parse(applied);
    if (auth !== undefined) headers.Authorization = `Basic ${Buffer.from(auth).toString('base64')}`;
    return { headers, dispatcher: this.#dispatcher(tls) };
  }

  #dispatcher(tls: Omit<z.output<typeof optionsSchema>, 'headers' | 'auth'>): Dispatcher {
    const key = JSON.stringify(Object.entries(tls).map(([name, part]) => [name, String(part)]));
    if (this.#current?.key === key) return this.#current.dispatcher;
    // Calls that are under way on the old connections end by themselves.
    void this.#current?.dispatcher.close();
    const proxy = this.#config.getCurrentCluster()?.proxyUrl;
    const connect = { ...tls, timeout: 10_000 };
    const dispatcher =
      proxy === undefined
        ? new Agent({ connect })
        : new ProxyAgent({ uri: proxy, requestTls: connect });
    this.#current = { key, dispatcher };
    return dispatcher;
  }
}
