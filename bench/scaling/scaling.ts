import type { BenchContext } from '../context.ts';
import { type Floor, measureFloor } from '../measure/floor.ts';
import { type Range, rangeOf, ratio, significant } from '../measure/percentiles.ts';
import { addJobs, burst } from '../pipeline/jobs.ts';
import {
  type CpuTimes,
  cpuPerRunner,
  medianCpu,
  PipelineStack,
} from '../pipeline/pipeline-stack.ts';
import { healthUrlOf } from '../stack.ts';

export interface ScalingOptions {
  /** Numbers of live runners, one measurement each. */
  live: readonly number[];
  /** Numbers of provisioners, one measurement each. */
  provisioners: readonly number[];
}

interface LiveFigures {
  live: number;
  /** Of provisioners and NATS, while jobs come one after another. */
  cpuMsPerRunner: number;
  provisionerCpuMs: number;
  natsCpuMs: number;
  /** In a burst. */
  runnersPerS: number;
  ranges: { cpuMsPerRunner: Range; runnersPerS: Range };
}

interface LivePoint extends LiveFigures {
  /** To the CPU of a bare message where as many come in a second, and to bare messages a second. */
  ratios: { cpuMsPerRunner: number; runnersPerS: number };
}

interface ProvisionersFigures {
  n: number;
  runnersPerS: number;
  ranges: { runnersPerS: Range };
}

/** Every figure is the median of several runs. */
export interface ScalingReport {
  points: LivePoint[];
  /** What a runner costs with the most live runners, divided by what it costs with the fewest. */
  costRatio: number;
  provisioners: (ProvisionersFigures & { ratios: { runnersPerS: number } })[];
  floor: Floor;
  books: readonly string[];
}

const sets = 50;
const runs = 3;
/** As fast as the paced messages of the floor. */
const paced = { jobsPerS: 50, seconds: 8 };
const burstJobs = 300;
const manyJobs = 1_500;
const books = ["the provider's book: creates", '/proc: CPU'];

/** What a runner costs when many live, and what more provisioners are good for. */
export async function benchScaling(
  context: BenchContext,
  { live, provisioners }: ScalingOptions,
): Promise<ScalingReport> {
  const { points, floor } = await measureLive(context, live);
  const byProvisioners: ScalingReport['provisioners'] = [];
  for (const n of provisioners) {
    const runnersPerS = await measureProvisioners(context, n);
    const ratios = { runnersPerS: ratio(floor.messagesPerS, runnersPerS.median) };
    byProvisioners.push({ n, runnersPerS: runnersPerS.median, ranges: { runnersPerS }, ratios });
    context.say(`${n} provisioners: ${runnersPerS.median} runners/s`);
  }
  const costs = points.map(({ cpuMsPerRunner }) => cpuMsPerRunner);
  return {
    points: points.map((point) => ({
      ...point,
      ratios: {
        cpuMsPerRunner: ratio(point.cpuMsPerRunner, floor.cpuMsPerPacedMessage),
        runnersPerS: ratio(floor.messagesPerS, point.runnersPerS),
      },
    })),
    costRatio: ratio(costs.at(-1) ?? Number.NaN, costs[0] ?? Number.NaN),
    provisioners: byProvisioners,
    floor,
    books,
  };
}

async function measureLive(context: BenchContext, live: readonly number[]) {
  const most = Math.max(...live) + runs * (burstJobs + paced.jobsPerS * paced.seconds);
  const maxRunners = Math.ceil((most / sets) * 1.5);
  await using stack = await PipelineStack.start(context, { sets, provisioners: 2, maxRunners });
  const floor = await measureFloor(context, healthUrlOf(stack.stack));
  const points: LiveFigures[] = [];
  for (const wanted of [...live].sort((a, b) => a - b)) {
    if (wanted > stack.live) await burst(stack, wanted - stack.live);
    const point = await measurePoint(context, stack);
    points.push(point);
    const { cpuMsPerRunner, runnersPerS } = point;
    context.say(
      `${point.live} live: ${cpuMsPerRunner} ms of CPU a runner, ${runnersPerS} runners/s`,
    );
  }
  return { points, floor };
}

/** With the runners that live now, and those that are made by it. */
async function measurePoint(context: BenchContext, stack: PipelineStack): Promise<LiveFigures> {
  const { live } = stack;
  const cpu: CpuTimes[] = [];
  const perS: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    // The news of the last jobs.
    await context.clock.sleep(2_000, context.signal);
    const before = await stack.cpu();
    const from = stack.live;
    const jobs = await addJobs(context, stack, paced);
    await stack.untilCreated(from + jobs.length, 60_000);
    cpu.push(cpuPerRunner(before, await stack.cpu(), jobs.length));
    perS.push((await burst(stack, burstJobs)).runnersPerS);
  }
  const cpuMsPerRunner = rangeOf(cpu.map(({ provisioner, nats }) => provisioner + nats));
  const runnersPerS = rangeOf(perS);
  const { provisioner, nats } = medianCpu(cpu);
  return {
    live,
    cpuMsPerRunner: cpuMsPerRunner.median,
    provisionerCpuMs: significant(provisioner),
    natsCpuMs: significant(nats),
    runnersPerS: runnersPerS.median,
    ranges: { cpuMsPerRunner, runnersPerS },
  };
}

/** Runners a second in bursts, after one that nobody counts. */
async function measureProvisioners(context: BenchContext, n: number): Promise<Range> {
  const maxRunners = Math.ceil(((runs + 1) * manyJobs) / sets);
  await using stack = await PipelineStack.start(context, { sets, provisioners: n, maxRunners });
  await burst(stack, manyJobs);
  const perS: number[] = [];
  for (let run = 0; run < runs; run += 1) perS.push((await burst(stack, manyJobs)).runnersPerS);
  return rangeOf(perS);
}
