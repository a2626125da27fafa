import { cp, rm } from 'node:fs/promises';
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

  /** Copies the store of the running server to a new folder, all of it as of one instant. */
  async copyStore(folder: string): Promise<void> {
    // Like the snapshot of a volume: a copy of files that are being written would be of no instant.
    process.kill(this.pid, 'SIGSTOP');
    try {
      await cp(storeDir(this.#options), folder, { recursive: true });
    } finally {
      process.kill(this.pid, 'SIGCONT');
    }
  }

  /** Kills the server and starts it on what is in this folder; without one on nothing. */
  async replaceStore(folder?: string): Promise<void> {
    const store = storeDir(this.#options);
    await this.kill();
    await rm(store, { recursive: true });
    if (folder !== undefined) await cp(folder, store, { recursive: true });
    await this.restart();
  }
}

function storeDir({ dir }: Pick<NatsHostOptions, 'dir'>): string {
  return join(dir, 'nats');
}

async function launch(options: NatsHostOptions, port = -1): Promise<NatsServer> {
  const { bin, dir, passwords, signal } = options;
  return await startNatsServer({
    bin,
    port,
    storeDir: storeDir(options),
    configFile: join(root, 'infra/nats/nats.conf'),
    env: passwords,
    logFile: join(dir, 'logs', 'nats.log'),
    detached: true,
    ...(signal ? { signal } : {}),
  });
}
