import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimControl } from '@baton/github-sim';
import { loadConfig, natsVariables } from '@baton/shared/config';
import { type Runner, runnerKey } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { connectNats, type Nats } from '@baton/shared/messaging';
import { openRunners, type RunnerStore } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { type LocalStack, ServiceProcess } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { inParallel } from '../in-parallel.ts';
import { JournalReader } from '../journal-reader.ts';
import { readUsage } from '../measure/process-usage.ts';
import { InstanceBook } from '../pipeline/instance-book.ts';
import { booksVariable } from '../pipeline/pipeline-stack.ts';
import { connectAsCli, simulatorOf, startStack } from '../stack.ts';
import { bookFolders } from './booked-provider.ts';
import { Fleet } from './fleet.ts';

/** How long a delete takes, for the janitor's process; ms. */
export const deleteMsVariable = 'BATON_BENCH_DELETE_MS';

interface JanitorStackOptions {
  deleteMs: number;
  /** More variables for the janitor. */
  env?: Record<string, string>;
  /** Where the janitor's CPU profile goes. Profiling costs time: such figures are none. */
  profileDir?: string | undefined;
}

const bookedJanitor = fileURLToPath(new URL('./booked-janitor.ts', import.meta.url));
const sets = 10;
const lookEveryMs = 20;
const startTimeoutMs = 60_000;
const readParallel = 64;
/** No runner counts as dead while a benchmark runs. */
const simulatorArgs = ['--runner-offline-ms', '3600000'];

/** CPU time since their start, in ms. */
export interface JanitorCpu {
  janitor: number;
  nats: number;
  simulator: number;
}

/**
 * A janitor, NATS and the simulator, each a process, and a listener that registers the scale sets.
 * Runners are made and marked by the benchmark, with a provisioner's rights; there is no provisioner.
 */
export class JanitorStack implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly sim: SimControl;
  readonly nats: Nats;
  readonly fleet: Fleet;
  readonly janitor: ServiceProcess;
  /** What the provider has deleted, and when. */
  readonly deleted: InstanceBook;
  readonly #runners: RunnerStore;
  readonly #context: BenchContext;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    context: BenchContext,
    parts: Pick<JanitorStack, 'stack' | 'nats' | 'fleet' | 'janitor' | 'deleted'> & {
      runners: RunnerStore;
    },
    cleanup: AsyncDisposableStack,
  ) {
    this.stack = parts.stack;
    this.sim = simulatorOf(parts.stack);
    this.nats = parts.nats;
    this.fleet = parts.fleet;
    this.janitor = parts.janitor;
    this.deleted = parts.deleted;
    this.#runners = parts.runners;
    this.#context = context;
    this.#cleanup = cleanup;
  }

  /** Resolves when the janitor is ready and GitHub knows the scale sets. */
  static async start(context: BenchContext, options: JanitorStackOptions): Promise<JanitorStack> {
    await using cleanup = new AsyncDisposableStack();
    const quiet = { ...context, say: () => undefined };
    const services = { listener: 1, provisioner: 0, janitor: 0 };
    const stack = cleanup.use(await startStack(quiet, { services, simulatorArgs }));
    const names = Array.from({ length: sets }, (_, index) => `set-${index}`);
    await stack.applyScaleSets(names.map((name) => ({ name, maxRunners: 10_000 })));
    await untilPolled(context, stack, names);
    const folder = join(stack.dir, 'books');
    for (const name of Object.values(bookFolders)) {
      await mkdir(join(folder, name), { recursive: true });
    }
    const nats = cleanup.use(await connectAsCli(stack, context));
    const settings = loadConfig(natsVariables, stack.variablesOf('provisioner'));
    const { clock } = context;
    const writer = { ...settings, name: 'bench', log: silentLogger(), clock };
    const installationId = stack.variablesOf('cli').BATON_INSTALLATION_ID ?? '';
    const fleet = await Fleet.open({
      nats: cleanup.use(await connectNats(writer)),
      sim: simulatorOf(stack),
      folder,
      installationId,
      names,
    });
    const janitor = startJanitor(stack, folder, options);
    cleanup.defer(async () => {
      // One that is frozen would not hear of its end.
      janitor.signal('SIGCONT');
      await janitor.stop();
    });
    await janitor.ready(AbortSignal.any([context.signal, AbortSignal.timeout(startTimeoutMs)]));
    const deleted = new InstanceBook(join(folder, bookFolders.deleted));
    const runners = await openRunners(nats);
    const parts = { stack, nats, fleet, janitor, deleted, runners };
    return new JanitorStack(context, parts, cleanup.move());
  }

  /**
   * Resolves when nothing is left of the runners: no record, no instance, no registration. Returns when
   * each record went, by the clock of the NATS server, which is that of this host.
   */
  async untilGone(runners: readonly Runner[], timeoutMs: number): Promise<number[]> {
    await this.untilNoInstance(runners, timeoutMs);
    let times: number[] = [];
    await this.#until('records', timeoutMs, async () => {
      times = await this.#deletedTimes(runners);
      return runners.length - times.length;
    });
    await this.#requireUnregistered(runners);
    return times;
  }

  /** Resolves when the provider has deleted the instances. */
  async untilNoInstance(runners: readonly Runner[], timeoutMs: number): Promise<void> {
    await this.#until('instances', timeoutMs, async () => {
      await this.deleted.read();
      return runners.filter(({ runnerId }) => !this.deleted.lines.has(runnerId)).length;
    });
  }

  async #until(what: string, timeoutMs: number, count: () => Promise<number>): Promise<void> {
    const { clock, signal } = this.#context;
    const giveUpAt = clock.monotonic() + timeoutMs;
    for (let left = await count(); left > 0; left = await count()) {
      if (clock.monotonic() > giveUpAt) {
        throw new AppError('unexpected', `${left} ${what} are left after ${timeoutMs} ms`);
      }
      await clock.sleep(lookEveryMs, signal);
    }
  }

  /** When the records went, of those that have gone. */
  async #deletedTimes(runners: readonly Runner[]): Promise<number[]> {
    const found = await inParallel(runners, readParallel, ({ scaleSetId, runnerId }) =>
      this.#runners.lookup(runnerKey(scaleSetId, runnerId)),
    );
    return found.flatMap((record) => (record.kind === 'deleted' ? record.deletedAt.getTime() : []));
  }

  async #requireUnregistered(runners: readonly Runner[]): Promise<void> {
    const registered = new Set((await this.sim.books()).registrations);
    const left = runners.filter(({ name }) => registered.has(name));
    if (left.length === 0) return;
    throw new AppError('unexpected', `${left.length} deleted runners are registered at GitHub`);
  }

  async cpu(): Promise<JanitorCpu> {
    const of = async (pid: number) => (await readUsage(pid)).cpuMs;
    const [janitor, nats, simulator] = await Promise.all([
      of(this.janitor.pid),
      of(this.stack.natsPid),
      of(this.stack.simulatorPid),
    ]);
    return { janitor, nats, simulator };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

async function untilPolled(
  { clock, signal }: BenchContext,
  stack: LocalStack,
  names: readonly string[],
): Promise<void> {
  await new JournalReader(simulatorOf(stack), clock).until(
    0,
    (entries) => {
      const held = entries.filter(({ event }) => event === 'held');
      return new Set(held.map(({ scaleSet }) => scaleSet)).size === names.length;
    },
    AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]),
  );
}

function startJanitor(
  stack: LocalStack,
  folder: string,
  { deleteMs, env = {}, profileDir }: JanitorStackOptions,
): ServiceProcess {
  const profiling = `--cpu-prof --cpu-prof-interval 1000 --cpu-prof-dir=${profileDir ?? ''}`;
  return new ServiceProcess({
    service: 'janitor',
    instance: 'janitor-0',
    main: bookedJanitor,
    env: {
      ...stack.variablesOf('janitor'),
      [booksVariable]: folder,
      [deleteMsVariable]: String(deleteMs),
      ...env,
      ...(profileDir === undefined ? {} : { NODE_OPTIONS: profiling }),
    },
    logFile: join(stack.dir, 'logs', 'janitor-0.log'),
  });
}
