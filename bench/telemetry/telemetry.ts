import type { BenchContext } from '../context.ts';
import { rounded } from '../measure/percentiles.ts';
import { LifeStack } from './life-stack.ts';
import { type Ratio, ratioOf } from './ratios.ts';
import { SpanCounter } from './span-counter.ts';

export interface TelemetryOptions {
  rounds: number;
  /** Jobs of one measurement; each has a runner of its own. */
  jobs: number;
  jobsPerS: number;
  /** Where the CPU profiles of the services go, at 100 %. Profiling costs time: such figures are none. */
  profileDir?: string | undefined;
}

const modes = ['off', 'ten', 'hundred'] as const;
type Mode = (typeof modes)[number];
type ByMode<T> = Record<Mode, T>;

export interface TelemetryReport {
  /** CPU per runner at this sampling, divided by that without traces in the same round. */
  ratio10: Ratio;
  ratio100: Ratio;
  jobsPerRound: number;
  /** User and system time of the three services, of each round. */
  cpuMsPerRunner: ByMode<number[]>;
  /** Until all work was in its usual course, of each round; it is in no ratio. */
  startCpuMs: ByMode<number[]>;
  /** At 100 %, as they were received. */
  spansPerRunner: number;
  /** Spans that services dropped or could not send, in all rounds. */
  lostSpans: number;
}

interface Measured {
  startCpuMs: number;
  cpuMsPerRunner: number;
  spansPerRunner: number;
  lostSpans: number;
}

/** Some hundred lives: code is compiled by then. */
const warmUp = { jobs: 200, jobsPerS: 40 };
/** Spans are sent this often, ms; less often as by default, and less in all. */
const sendEveryMs = 1_000;
/** Until what is left of a measurement has been sent. */
const restMs = 2 * sendEveryMs;
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
  return {
    ratio10: ratioOf(cpu.ten, cpu.off),
    ratio100: ratioOf(cpu.hundred, cpu.off),
    jobsPerRound: options.jobs,
    cpuMsPerRunner: cpu,
    startCpuMs: byMode('startCpuMs'),
    spansPerRunner: Math.max(...all('hundred', 'spansPerRunner')),
    lostSpans: lost.reduce((sum, one) => sum + one, 0),
  };
}

/** Each mode once, one after another, in another order each round; processes are new in each. */
async function measureRound(
  context: BenchContext,
  options: TelemetryOptions,
  round: number,
): Promise<ByMode<Measured>> {
  const measured = new Map<Mode, Measured>();
  for (const [place] of modes.entries()) {
    const mode = modes[(place + round) % modes.length] ?? 'off';
    measured.set(mode, await measure(context, options, mode));
  }
  const of = (mode: Mode) => {
    const found = measured.get(mode);
    if (!found) throw new Error(`${mode} was not measured`);
    return found;
  };
  return { off: of('off'), ten: of('ten'), hundred: of('hundred') };
}

async function measure(
  context: BenchContext,
  { jobs, jobsPerS, profileDir }: TelemetryOptions,
  mode: Mode,
): Promise<Measured> {
  const { clock, signal } = context;
  await using counter = await SpanCounter.start();
  await using lives = await LifeStack.start(context, {
    ...variablesOf(mode, counter.url),
    ...(profileDir === undefined || mode !== 'hundred' ? {} : profiling(profileDir)),
  });
  await clock.sleep(calmMs, signal);
  const startCpuMs = await lives.cpuMs();
  await lives.runJobs(warmUp.jobs, warmUp.jobsPerS);
  await clock.sleep(restMs, signal);
  const [cpuBefore, spansBefore] = [await lives.cpuMs(), await total(counter)];
  await lives.runJobs(jobs, jobsPerS);
  await clock.sleep(restMs, signal);
  const [cpuAfter, spansAfter] = [await lives.cpuMs(), await total(counter)];
  return {
    startCpuMs,
    cpuMsPerRunner: rounded(((cpuAfter - cpuBefore) / jobs) * 10) / 10,
    spansPerRunner: rounded((spansAfter - spansBefore) / jobs),
    lostSpans: await lives.lostSpans(),
  };
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
    OTEL_BSP_SCHEDULE_DELAY: String(sendEveryMs),
  };
}

function profiling(folder: string): Record<string, string> {
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval 1000 --cpu-prof-dir=${folder}` };
}
