import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BootstrapPort,
  type ComputeProvider,
  createProvider,
  type ProviderDefinition,
  providerDefinitionSchema,
} from '@baton/providers';
import { packRunner, writeLocalExecutable } from '@baton/providers/local-executable';
import { Publisher } from '@baton/shared/messaging';
import { SealingKeys } from '@baton/shared/sealing';
import { openJit, openRunners, openSpecs } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { type Clock, systemClock } from '@baton/shared/time';
import { aSpec, freePort, startTestNats, type TestNats } from '@baton/testkit';
import { Bootstrap } from '../bootstrap/bootstrap.ts';

/** Two scale sets, as the conformance suite names them. */
const scaleSetIds = ['set-1', 'set-2-6f0c'];

/** A sealing key of this id; another one with every call. */
export function aSealingKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`;
}

/** A runner program that does what the text in its credentials says, as the conformance suite has it. */
const obeyScript = `#!/bin/sh
case $(cat .credentials) in
  exit\\ *) set -- $(cat .credentials); exit "$2" ;;
  stubborn*) trap '' TERM ;;
esac
exec tail -f /dev/null
`;

interface BootstrapOptions {
  installationId?: string;
  keys?: string;
  clock?: Clock;
  port?: number;
}

/** Real nats-server, real bootstrap servers, and the local provider executable. */
export class ExternalBench implements AsyncDisposable {
  readonly dir: string;
  readonly nats: TestNats;
  readonly stores: Awaited<ReturnType<typeof openAll>>;
  readonly #cleanup: AsyncDisposableStack;
  readonly #key = aSealingKey('k1');
  readonly #files: Awaited<ReturnType<typeof makeFiles>>;

  private constructor(
    parts: Pick<ExternalBench, 'dir' | 'nats' | 'stores'>,
    files: Awaited<ReturnType<typeof makeFiles>>,
    cleanup: AsyncDisposableStack,
  ) {
    this.dir = parts.dir;
    this.nats = parts.nats;
    this.stores = parts.stores;
    this.#files = files;
    this.#cleanup = cleanup;
  }

  static async start(): Promise<ExternalBench> {
    await using cleanup = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), 'baton-external-'));
    cleanup.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    const nats = cleanup.use(await startTestNats());
    const stores = await openAll(nats);
    const cli = await openSpecs(await nats.connect('cli'));
    for (const scaleSetId of scaleSetIds) await cli.put(scaleSetId, aSpec({ scaleSetId }));
    return new ExternalBench({ dir, nats, stores }, await makeFiles(dir), cleanup.move());
  }

  /** The bootstrap of a provisioner, listening. */
  async bootstrap({
    installationId = 'conformance',
    keys = this.#key,
    clock = systemClock,
    port = 0,
  }: BootstrapOptions = {}) {
    const taken = port || (await freePort());
    const bootstrap = new Bootstrap({
      bootstrapUrl: `http://127.0.0.1:${taken}`,
      bootstrapHost: '127.0.0.1',
      bootstrapPort: taken,
      sealingKeys: SealingKeys.parse(keys),
    });
    const bootstrapPort = bootstrap.port();
    const reconciled: string[] = [];
    const planner = { reconcile: (id: string) => Promise.resolve(reconciled.push(id)) };
    const stores = await openAll(this.nats, clock);
    const server = await bootstrap.start({
      ...stores,
      planner,
      clock,
      instance: 'provisioner-0',
      log: silentLogger(),
      random: Math.random,
      installationId,
    });
    this.#cleanup.use(server);
    return { port: bootstrapPort, bootstrap, reconciled, server };
  }

  /** The build of the runner that instances download. */
  get tool() {
    return this.#files.tool;
  }

  definition(changes: Record<string, unknown> = {}): ProviderDefinition {
    const { tool, ...files } = this.#files;
    return providerDefinitionSchema.parse({
      type: 'external',
      ...files,
      listEveryMs: 500,
      execTimeoutMs: 30_000,
      tools: [tool],
      defaults: { image: 'host', flavor: 'small' },
      ...changes,
    });
  }

  /** A provider whose executable runs instances as processes of this host. */
  async provider(
    port: BootstrapPort,
    { installationId = 'conformance', ...changes }: Record<string, unknown> = {},
  ): Promise<ComputeProvider> {
    return await createProvider(this.definition(changes), {
      installationId: String(installationId),
      clock: systemClock,
      env: {},
      scaleSets: () => Promise.resolve(scaleSetIds.map((id) => ({ id }))),
      bootstrap: () => port,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

async function openAll(nats: TestNats, clock: Clock = systemClock) {
  const connection = await nats.connect('provisioner', { clock });
  const [specs, runners, jit] = await Promise.all([
    openSpecs(connection),
    openRunners(connection),
    openJit(connection),
  ]);
  return { specs, runners, jit, publisher: new Publisher(connection, silentLogger()) };
}

async function makeFiles(dir: string) {
  const tool = await packRunner(dir, obeyScript);
  return { tool, ...(await writeLocalExecutable(dir, { directory: join(dir, 'machines') })) };
}
