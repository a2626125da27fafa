import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from '@baton/shared/config';
import { topology } from '@baton/shared/contracts';
import { applyTopology, connectNats, type Nats } from '@baton/shared/messaging';
import { claimInstallation } from '@baton/shared/stores';
import { type Logger, type Metrics, silentLogger } from '@baton/shared/telemetry';
import { type Clock, systemClock } from '@baton/shared/time';
import { findNatsServer, type NatsServer, startNatsServer } from '@baton/stack';
import { installationId } from './builders.ts';
import { eventually } from './eventually.ts';

/** `admin` exists in tests only: it plays services and looks at everything. */
export type NatsUser = 'listener' | 'provisioner' | 'janitor' | 'cli' | 'admin';

interface TestNatsOptions {
  /** TTL of leases and memberships, in ms. Default 10 s, as in production. */
  leaseTtlMs?: number;
  /** Without it there are users and an empty JetStream. Default true. */
  withTopology?: boolean;
}

interface ConnectionOptions {
  log?: Logger;
  clock?: Clock;
  /** Where to connect instead: a proxy before the server. */
  url?: string;
  metrics?: Metrics;
}

const productionConfig = fileURLToPath(new URL('../../../infra/nats/nats.conf', import.meta.url));
const users: readonly NatsUser[] = ['listener', 'provisioner', 'janitor', 'cli'];

/** A real nats-server of a test's own, with the users and permissions of production. */
export class TestNats implements AsyncDisposable {
  readonly #dir: string;
  readonly #bin: string;
  readonly #connections: Nats[] = [];
  #server: NatsServer;

  private constructor(dir: string, bin: string, server: NatsServer) {
    this.#dir = dir;
    this.#bin = bin;
    this.#server = server;
  }

  static async start({ leaseTtlMs = 10_000, withTopology = true }: TestNatsOptions = {}) {
    const bin = await findNatsServer(process.env);
    const dir = await mkdtemp(join(tmpdir(), 'baton-test-nats-'));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    const nats = undo.use(new TestNats(dir, bin, await startServer(bin, dir)));
    if (withTopology) {
      const cli = await nats.connect('cli');
      await applyTopology(cli, topology({ leaseTtlMs }), 1);
      await claimInstallation(cli, installationId);
    }
    undo.move();
    return nats;
  }

  get url(): string {
    return this.#server.url;
  }

  /** Where a test may leave files; removed with the server. */
  get dir(): string {
    return this.#dir;
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** What a process needs in its environment to reach this server as `user`. */
  variablesOf(user: NatsUser): Record<string, string> {
    return {
      BATON_NATS_URL: this.url,
      BATON_NATS_USER: user,
      BATON_NATS_PASSWORD: passwordOf(user),
      BATON_INSTALLATION_ID: installationId,
    };
  }

  /** A connection of its own, as a service makes it; closed with the server. */
  async connect(user: NatsUser, options: ConnectionOptions = {}): Promise<Nats> {
    const nats = await connectNats({
      natsUrl: options.url ?? this.url,
      natsUser: user,
      natsPassword: new Secret(passwordOf(user)),
      natsConnectTimeoutMs: 5_000,
      name: `test ${user}`,
      log: options.log ?? silentLogger(),
      clock: options.clock ?? systemClock,
      ...(options.metrics ? { metrics: options.metrics } : {}),
    });
    this.#connections.push(nats);
    return nats;
  }

  /** SIGKILL, as a crash would. */
  async kill(): Promise<void> {
    await this.#server.kill();
  }

  /** SIGTERM, as an upgrade would. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Starts it again on its port and its store. */
  async startAgain(): Promise<void> {
    this.#server = await startServer(this.#bin, this.#dir, Number(new URL(this.url).port));
  }

  /** SIGKILL, and up again at once. */
  async restart(): Promise<void> {
    await this.kill();
    await this.startAgain();
  }

  /** Freezes the server: connections stay open and nothing is answered. Linux only. */
  async freeze(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    await eventually(async () => {
      if (await isRunning(this.pid)) throw new Error('nats-server does not stand still');
    });
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((nats) => nats[Symbol.asyncDispose]()));
    await this.#server.kill();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Close it with `await using`, or in `afterAll` by `nats[Symbol.asyncDispose]()`. */
export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  return await TestNats.start(options);
}

async function startServer(bin: string, dir: string, port = -1): Promise<NatsServer> {
  const configFile = join(dir, 'nats.conf');
  await writeFile(configFile, await configWithAdmin());
  return await startNatsServer({
    bin,
    port,
    storeDir: join(dir, 'store'),
    configFile,
    env: Object.fromEntries(
      users.map((user) => [`BATON_NATS_${user.toUpperCase()}_PASSWORD`, passwordOf(user)]),
    ),
  });
}

/** The configuration of production, with one user more. */
async function configWithAdmin(): Promise<string> {
  const text = await readFile(productionConfig, 'utf8');
  const admin = `{ user: admin, password: ${passwordOf('admin')} }`;
  return text.replace('users: [', `users: [\n    ${admin}`);
}

/** Whether any thread of a process still runs after SIGSTOP: that takes it a moment. */
async function isRunning(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = threads.map((id) => readFile(`/proc/${pid}/task/${id}/stat`, 'utf8'));
  return (await Promise.all(stats)).some((stat) => !/\) [Tt] /.test(stat));
}

function passwordOf(user: NatsUser): string {
  return `password-of-${user}`;
}
