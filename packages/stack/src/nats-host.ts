import { join } from 'node:path';
import { type NatsServer, startNatsServer } from './nats-server.ts';
import { root } from './stack-files.ts';

interface NatsHostOptions {
  bin: string;
  /** The stack's folder: the store and the log are in it. */
  dir: string;
  passwords: Record<string, string>;
  signal?: AbortSignal | undefined;
  hurry?: AbortSignal | undefined;
}

/** The stack's nats-server. It may be killed, and is started again on its port and its store. */
export class NatsHost {
  readonly #options: NatsHostOptions;
  #server: NatsServer;

  private constructor(options: NatsHostOptions, server: NatsServer) {
    this.#options = options;
    this.#server = server;
    options.hurry?.addEventListener('abort', () => void this.kill());
  }

  static async start(options: NatsHostOptions): Promise<NatsHost> {
    return new NatsHost(options, await launch(options));
  }

  get url(): string {
    return this.#server.url;
  }

  get pid(): number {
    return this.#server.pid;
  }

  get version(): string {
    return this.#server.version;
  }

  /** Resolves when the server of now has ended, for whatever reason. */
  async exited(): Promise<void> {
    await this.#server.exited();
  }

  async kill(): Promise<void> {
    await this.#server.kill();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async restart(): Promise<void> {
    this.#server = await launch(this.#options, Number(new URL(this.url).port));
  }
}

async function launch(options: NatsHostOptions, port = -1): Promise<NatsServer> {
  const { bin, dir, passwords, signal } = options;
  return await startNatsServer({
    bin,
    port,
    storeDir: join(dir, 'nats'),
    configFile: join(root, 'infra/nats/nats.conf'),
    env: passwords,
    logFile: join(dir, 'logs', 'nats.log'),
    detached: true,
    ...(signal ? { signal } : {}),
  });
}
