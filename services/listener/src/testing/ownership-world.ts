import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buckets, sessionRecordSchema, streams } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import {
  installationId,
  type NatsProxy,
  startNatsProxy,
  startTestNats,
  startTestProcess,
  storedMessages,
  type TestNats,
  type TestProcess,
} from '@baton/testkit';
import { z } from 'zod';
import type { ContenderSettings } from './contender.ts';
import type { OwnershipBooks } from './ownership-books.ts';

const program = fileURLToPath(new URL('./contender.ts', import.meta.url));
export const ttlMs = 1_000;
const scaleSetId = 'contended';
const factSchema = z.looseObject({ jobId: z.string() });

/** A contender process behind a proxy of its own; it may be killed and started again. */
export class Contender {
  readonly identity: string;
  readonly proxy: NatsProxy;
  readonly #settings: ContenderSettings;
  #process: TestProcess;
  /** What its earlier processes printed. */
  #said = '';

  constructor(proxy: NatsProxy, settings: ContenderSettings) {
    this.identity = settings.identity;
    this.proxy = proxy;
    this.#settings = settings;
    this.#process = this.#launch();
  }

  get said(): string {
    return this.#said + this.#process.stderr;
  }

  freeze(): void {
    this.#process.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process.signal('SIGCONT');
  }

  /** SIGKILL, and a new process at once. */
  async restart(): Promise<void> {
    await this.kill();
    this.#said += this.#process.stderr;
    this.#process = this.#launch();
  }

  async kill(): Promise<void> {
    this.#process.signal('SIGKILL');
    await this.#process.exited();
  }

  #launch(): TestProcess {
    return startTestProcess(program, { args: [JSON.stringify(this.#settings)] });
  }
}

/** Some contenders for one scale set, and what they leave behind. It ends with `await using`. */
export class OwnershipWorld implements AsyncDisposable {
  readonly server: TestNats;
  readonly contenders: readonly Contender[];
  readonly #queueDir: string;
  readonly #undo: AsyncDisposableStack;
  #serverTurn: Promise<void> = Promise.resolve();

  private constructor(
    server: TestNats,
    contenders: readonly Contender[],
    { queueDir, undo }: { queueDir: string; undo: AsyncDisposableStack },
  ) {
    this.server = server;
    this.contenders = contenders;
    this.#queueDir = queueDir;
    this.#undo = undo;
  }

  static async start(count: number): Promise<OwnershipWorld> {
    await using undo = new AsyncDisposableStack();
    const queueDir = await mkdtemp(join(tmpdir(), 'baton-queue-'));
    undo.defer(() => rm(queueDir, { recursive: true, force: true }));
    const server = undo.use(await startTestNats({ leaseTtlMs: ttlMs }));
    await keepAllVersions(server);
    const contenders: Contender[] = [];
    for (let rank = 0; rank < count; rank += 1) {
      const proxy = undo.use(await startNatsProxy(server.url));
      const contender = new Contender(proxy, settingsOf(server, { proxy, rank, queueDir }));
      undo.defer(() => contender.kill());
      contenders.push(contender);
    }
    return new OwnershipWorld(server, contenders, { queueDir, undo: undo.move() });
  }

  /** The contenders, and whoever deleted a message last first. */
  async fromHolder(): Promise<readonly Contender[]> {
    const admin = await this.#admin();
    const stored = await admin.connection
      .request(`$JS.API.DIRECT.GET.KV_${buckets.sessions}`, JSON.stringify(lastVersion))
      .then((message) => sessionRecordSchema.parse(message.json()).owner)
      .catch(() => '');
    const at = this.contenders.findIndex(({ identity }) => stored.startsWith(`${identity}/`));
    return [...this.contenders.slice(at), ...this.contenders.slice(0, at)];
  }

  /** nats-server is killed and comes back after so long; two of these follow one another. */
  async stopServer(forMs: number): Promise<void> {
    this.#serverTurn = this.#serverTurn.then(async () => {
      await this.server.kill();
      await systemClock.sleep(forMs);
      await this.server.startAgain();
    });
    await this.#serverTurn;
  }

  /** How many messages were deleted. */
  async progress(): Promise<number> {
    return (await readdir(this.#queueDir)).length;
  }

  async books(): Promise<OwnershipBooks> {
    const admin = await this.#admin();
    const files = await readdir(this.#queueDir);
    const deleted = await Promise.all(
      files.map(async (name) => {
        const epoch = Number(await readFile(join(this.#queueDir, name), 'utf8'));
        return [name, epoch] as const;
      }),
    );
    const versions = await storedMessages(admin, `KV_${buckets.sessions}`);
    const facts = await storedMessages(admin, streams.events);
    return {
      versions: versions.map(({ data }) => sessionRecordSchema.parse(data)),
      facts: facts.map(({ data }) => factSchema.parse(data).jobId),
      deleted: new Map(deleted),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
  }

  async #admin() {
    return await this.server.connect('admin');
  }
}

const lastVersion = { last_by_subj: `$KV.${buckets.sessions}.${scaleSetId}` };

/** The session record's bucket keeps one version in production. */
async function keepAllVersions(server: TestNats): Promise<void> {
  const { connection } = await server.connect('admin');
  const jsm = await connection.jetstreamManager({ checkAPI: false });
  await jsm.streams.update(`KV_${buckets.sessions}`, { max_msgs_per_subject: -1 });
}

function settingsOf(
  server: TestNats,
  { proxy, rank, queueDir }: { proxy: NatsProxy; rank: number; queueDir: string },
): ContenderSettings {
  const variables = server.variablesOf('listener');
  return {
    natsUrl: proxy.url,
    natsUser: 'listener',
    natsPassword: variables.BATON_NATS_PASSWORD ?? '',
    installationId,
    identity: `listener-${rank}`,
    scaleSetId,
    ttlMs,
    rank,
    queueDir,
  };
}
