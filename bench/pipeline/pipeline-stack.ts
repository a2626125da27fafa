import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimControl } from '@baton/github-sim';
import type { Nats } from '@baton/shared/messaging';
import { type LocalStack, ServiceProcess } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { JournalReader } from '../journal-reader.ts';
import { rangeOf } from '../measure/percentiles.ts';
import { readUsage } from '../measure/process-usage.ts';
import { connectAsCli, simulatorOf, startStack } from '../stack.ts';
import { InstanceBook } from './instance-book.ts';

/** Where instant providers write, for their process. */
export const booksVariable = 'BATON_BENCH_BOOKS';
/** As the stack's scale sets name it. */
export const providerName = 'local';

interface PipelineOptions {
  sets: number;
  provisioners: number;
  /** Of one set. */
  maxRunners: number;
  /** Where the provisioners' CPU profiles go. Profiling costs time: such figures are none. */
  profileDir?: string | undefined;
}

const instantProvisioner = fileURLToPath(new URL('./instant-provisioner.ts', import.meta.url));
const startTimeoutMs = 120_000;
const lookEveryMs = 10;
/** No job is given to another runner, and no runner counts as dead, while a benchmark runs. */
const simulatorArgs = ['--reassign-ms', '3600000', '--runner-offline-ms', '3600000'];

/** CPU time since their start, in ms. */
export interface CpuTimes {
  listener: number;
  provisioner: number;
  nats: number;
  simulator: number;
  janitor: number;
}

/**
 * All of Baton with instant compute: a listener, provisioners, a janitor, NATS and the simulator, each a
 * process. Runners come online as soon as they are created, and take a job that never ends.
 */
export class PipelineStack implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly sim: SimControl;
  readonly nats: Nats;
  readonly journal: JournalReader;
  readonly book: InstanceBook;
  readonly names: readonly string[];
  readonly #context: BenchContext;
  readonly #provisioners: readonly ServiceProcess[];
  readonly #cleanup: AsyncDisposableStack;
  #playing: Promise<void> = Promise.resolve();

  private constructor(
    context: BenchContext,
    parts: Pick<PipelineStack, 'stack' | 'nats' | 'names' | 'book'> & {
      provisioners: readonly ServiceProcess[];
    },
    cleanup: AsyncDisposableStack,
  ) {
    this.stack = parts.stack;
    this.sim = simulatorOf(parts.stack);
    this.nats = parts.nats;
    this.names = parts.names;
    this.book = parts.book;
    this.journal = new JournalReader(this.sim, context.clock);
    this.#context = context;
    this.#provisioners = parts.provisioners;
    this.#cleanup = cleanup;
  }

  /** Resolves when every set is polled with room for all its runners. */
  static async start(context: BenchContext, options: PipelineOptions): Promise<PipelineStack> {
    await using cleanup = new AsyncDisposableStack();
    const quiet = { ...context, say: () => undefined };
    const services = { listener: 1, provisioner: 0, janitor: 1 };
    const stack = cleanup.use(await startStack(quiet, { services, simulatorArgs }));
    const nats = cleanup.use(await connectAsCli(stack, context));
    const folder = join(stack.dir, 'books');
    await mkdir(folder);
    const provisioners = startProvisioners(stack, folder, options);
    cleanup.defer(async () => void (await Promise.all(provisioners.map((one) => one.stop()))));
    const names = Array.from({ length: options.sets }, (_, index) => `set-${index}`);
    const { maxRunners } = options;
    await stack.applyScaleSets(names.map((name) => ({ name, maxRunners })));
    const book = new InstanceBook(folder);
    const made = new PipelineStack(
      context,
      { stack, nats, names, book, provisioners },
      cleanup.move(),
    );
    await using undo = new AsyncDisposableStack();
    undo.use(made);
    await made.#untilRoomFor(maxRunners);
    undo.move();
    return made;
  }

  /** How many runners were created. */
  get live(): number {
    return this.book.lines.size;
  }

  /** Resolves when so many runners were created since the start; they are brought online meanwhile. */
  async untilCreated(count: number, timeoutMs: number): Promise<void> {
    const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(timeoutMs)]);
    for (;;) {
      await this.bringOnline();
      if (this.live >= count) return;
      await this.#context.clock.sleep(lookEveryMs, signal);
    }
  }

  /** Plays the runners that were created since: they come online and take a job. */
  async bringOnline(): Promise<void> {
    const playing = this.#playing.then(async () => {
      const created = await this.book.read();
      if (created.length > 0)
        await this.sim.playRunners(created.map(({ runnerName }) => runnerName));
    });
    this.#playing = playing.catch(() => undefined);
    await playing;
  }

  async cpu(): Promise<CpuTimes> {
    const of = async (pids: readonly number[]) => {
      const usages = await Promise.all(pids.map(readUsage));
      return usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    };
    const [listener, provisioner, nats, simulator, janitor] = await Promise.all([
      of([this.stack.service('listener-0').pid]),
      of(this.#provisioners.map(({ pid }) => pid)),
      of([this.stack.natsPid]),
      of([this.stack.simulatorPid]),
      of([this.stack.service('janitor-0').pid]),
    ]);
    return { listener, provisioner, nats, simulator, janitor };
  }

  /** Of the provisioner that has most, in MB. */
  async provisionerRssMb(): Promise<number> {
    const usages = await Promise.all(this.#provisioners.map(({ pid }) => readUsage(pid)));
    return Math.max(...usages.map(({ rssBytes }) => rssBytes)) / 1e6;
  }

  async #untilRoomFor(runners: number): Promise<void> {
    const patience = AbortSignal.timeout(startTimeoutMs);
    const signal = AbortSignal.any([this.#context.signal, patience]);
    await this.journal.until(
      0,
      (entries) => {
        const ready = entries.filter(
          ({ event, capacity }) => event === 'held' && (capacity ?? 0) >= runners,
        );
        return new Set(ready.map(({ scaleSet }) => scaleSet)).size === this.names.length;
      },
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

function startProvisioners(
  stack: LocalStack,
  folder: string,
  { provisioners, profileDir }: PipelineOptions,
): ServiceProcess[] {
  const profiling = `--cpu-prof --cpu-prof-interval 1000 --cpu-prof-dir=${profileDir ?? ''}`;
  return Array.from({ length: provisioners }, (_, index) => {
    const instance = `provisioner-${index}`;
    return new ServiceProcess({
      service: 'provisioner',
      instance,
      main: instantProvisioner,
      env: {
        ...stack.variablesOf('provisioner'),
        [booksVariable]: folder,
        ...(profileDir === undefined ? {} : { NODE_OPTIONS: profiling }),
      },
      logFile: join(stack.dir, 'logs', `${instance}.log`),
    });
  });
}

/** What was used between two looks, per runner, in ms with two decimals. */
export function cpuPerRunner(before: CpuTimes, after: CpuTimes, runners: number): CpuTimes {
  const per = (name: keyof CpuTimes) =>
    Math.round(((after[name] - before[name]) / runners) * 100) / 100;
  return {
    listener: per('listener'),
    provisioner: per('provisioner'),
    nats: per('nats'),
    simulator: per('simulator'),
    janitor: per('janitor'),
  };
}

/** Of several runs, each for itself. */
export function medianCpu(runs: readonly CpuTimes[]): CpuTimes {
  const median = (name: keyof CpuTimes) => rangeOf(runs.map((run) => run[name])).median;
  return {
    listener: median('listener'),
    provisioner: median('provisioner'),
    nats: median('nats'),
    simulator: median('simulator'),
    janitor: median('janitor'),
  };
}
