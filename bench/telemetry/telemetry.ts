import { join } from 'node:path';
import type { BenchContext } from '../context.ts';
import { type Range, rangeOf, rounded } from '../measure/percentiles.ts';
import { LifeStack } from './life-stack.ts';
import { ratioOf } from './ratios.ts';
import { SpanCounter } from './span-counter.ts';

export interface TelemetryOptions {
  rounds: number;
  /** Jobs of one measurement; each has a runner of its own. */
  jobs: number;
  jobsPerS: number;
  /** Where the CPU profiles of the services go, by mode. Profiling costs time: such figures are none. */
  profileDir?: string | undefined;
}

const modes = ['off', 'ten', 'hundred'] as const;
type Mode = (typeof modes)[number];
type ByMode<T> = Record<Mode, T>;

export interface TelemetryReport {
  /** CPU per runner at this sampling, divided by that without traces in the same round. */
  ratio10: Range;
  ratio100: Range;
  jobsPerRound: number;
  /** User and system time of the three services, of each round. */
  cpuMsPerRunner: ByMode<number[]>;
  /** Until all work was in its usual course, of each round; it is in no ratio. */
  startCpuMs: ByMode<number[]>;
  /** At 100 %, as they were received. */
  spansPerRunner: number;
  /** Spans that services dropped or could not send, in all rounds. */
  lostSpans: number;
  /** Without traces: what they are compared with. */
  floor: { offCpuMsPerRunner: Range };
  /** The medians of above. */
  ratios: { ten: number; hundred: number };
  books: readonly string[];
}

interface Measured {
  startCpuMs: number;
  cpuMsPerRunner: number;
  spansPerRunner: number;
  lostSpans: number;
}

const books = [
  '/proc: CPU',
  "the simulator's and the provider's books: jobs done, runners gone",
  'an OTLP receiver: spans that came',
  "the services' own metrics: spans that were lost",
];

/** With fewer lives what is measured is compiling, of which there is more with traces. */
const warmUp = { jobs: 800, jobsPerS: 60 };
/** Until what is left of a measurement has been sent: spans wait for up to 5 s, which is the default. */
const restMs = 6_000;
/** A process loads what exports spans when it has little to do. */
const calmMs = 5_000;

/** What traces cost: CPU of a runner's life without them, and with them at 10 % and at 100 %. */
export async function benchTelemetry(
  context: BenchContext,
  options: TelemetryOptions,
): Promise<TelemetryReport> {
  const rounds: ByMode<Measured>[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const measured = await measureRound(context, options, round);
    rounds.push(measured);
    const { off, ten, hundred } = measured;
    const shown = [off, ten, hundred].map(({ cpuMsPerRunner }) => cpuMsPerRunner);
    context.say(`round ${round + 1}: ${shown.join(', ')} ms of CPU a runner (off, 10 %, 100 %)`);
  }
  const all = (mode: Mode, figure: keyof Measured) => rounds.map((round) => round[mode][figure]);
  const byMode = (figure: keyof Measured) => ({
    off: all('off', figure),
    ten: all('ten', figure),
    hundred: all('hundred', figure),
  });
  const cpu = byMode('cpuMsPerRunner');
  const lost = [...all('ten', 'lostSpans'), ...all('hundred', 'lostSpans')];
  const [ratio10, ratio100] = [ratioOf(cpu.ten, cpu.off), ratioOf(cpu.hundred, cpu.off)];
  return {
    ratio10,
    ratio100,
    jobsPerRound: options.jobs,
    cpuMsPerRunner: cpu,
    startCpuMs: byMode('startCpuMs'),
    spansPerRunner: Math.max(...all('hundred', 'spansPerRunner')),
    lostSpans: lost.reduce((sum, one) => sum + one, 0),
    floor: { offCpuMsPerRunner: rangeOf(cpu.off) },
    ratios: { ten: ratio10.median, hundred: ratio100.median },
    books,
  };
}

/**
 * All modes, each in processes of its own, which are new in each round. They work in turn, there and back: what
 * the machine does meanwhile is about the same for all.
 */
async function measureRound(
  context: BenchContext,
  options: TelemetryOptions,
  round: number,
): Promise<ByMode<Measured>> {
  const { clock, signal } = context;
  await using cleanup = new AsyncDisposableStack();
  const start = async (mode: Mode) => cleanup.use(await Course.start(context, options, mode));
  const courses = {
    off: await start('off'),
    ten: await start('ten'),
    hundred: await start('hundred'),
  };
  await clock.sleep(calmMs, signal);
  const there = modes.map((_, place) => courses[modes[(place + round) % modes.length] ?? 'off']);
  for (const course of there) await course.warmUp();
  const leg = { jobs: options.jobs / 2, jobsPerS: options.jobsPerS };
  for (const course of [...there, ...there.toReversed()]) await course.run(leg);
  return {
    off: await courses.off.measured(),
    ten: await courses.ten.measured(),
    hundred: await courses.hundred.measured(),
  };
}

interface Work {
  jobs: number;
  jobsPerS: number;
}

/** One mode of a round: its services and the receiver of their spans. */
class Course implements AsyncDisposable {
  readonly #context: BenchContext;
  readonly #counter: SpanCounter;
  readonly #lives: LifeStack;
  readonly #cleanup: AsyncDisposableStack;
  #startCpuMs = 0;
  #cpuMs = 0;
  #spans = 0;
  #jobs = 0;

  private constructor(
    context: BenchContext,
    { counter, lives }: { counter: SpanCounter; lives: LifeStack },
    cleanup: AsyncDisposableStack,
  ) {
    this.#context = context;
    this.#counter = counter;
    this.#lives = lives;
    this.#cleanup = cleanup;
  }

  static async start(
    context: BenchContext,
    { profileDir }: TelemetryOptions,
    mode: Mode,
  ): Promise<Course> {
    await using cleanup = new AsyncDisposableStack();
    const counter = cleanup.use(await SpanCounter.start(context.signal));
    const profiled = profileDir === undefined ? {} : profiling(join(profileDir, mode));
    const variables = { ...variablesOf(mode, counter.url), ...profiled };
    const lives = cleanup.use(await LifeStack.start(context, variables));
    return new Course(context, { counter, lives }, cleanup.move());
  }

  async warmUp(): Promise<void> {
    this.#startCpuMs = await this.#lives.cpuMs();
    await this.#lives.runJobs(warmUp.jobs, warmUp.jobsPerS);
  }

  async run({ jobs, jobsPerS }: Work): Promise<void> {
    const { clock, signal } = this.#context;
    const [cpuBefore, spansBefore] = [await this.#lives.cpuMs(), await total(this.#counter)];
    await this.#lives.runJobs(jobs, jobsPerS);
    await clock.sleep(restMs, signal);
    this.#cpuMs += (await this.#lives.cpuMs()) - cpuBefore;
    this.#spans += (await total(this.#counter)) - spansBefore;
    this.#jobs += jobs;
  }

  async measured(): Promise<Measured> {
    return {
      startCpuMs: this.#startCpuMs,
      cpuMsPerRunner: Math.round((this.#cpuMs / this.#jobs) * 100) / 100,
      spansPerRunner: rounded(this.#spans / this.#jobs),
      lostSpans: await this.#lives.lostSpans(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

async function total(counter: SpanCounter): Promise<number> {
  return Object.values(await counter.counts()).reduce((sum, count) => sum + count, 0);
}

function variablesOf(mode: Mode, url: string): Record<string, string> {
  if (mode === 'off') return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: mode === 'ten' ? '0.1' : '1',
    // They cost the same however many runners there are.
    OTEL_METRICS_EXPORTER: 'none',
  };
}

function profiling(folder: string): Record<string, string> {
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval 1000 --cpu-prof-dir=${folder}` };
}
