import type { BenchContext } from '../context.ts';
import { measureFloor } from '../measure/floor.ts';
import { rounded } from '../measure/percentiles.ts';
import { addJobs, burst } from '../pipeline/jobs.ts';
import { cpuPerRunner, PipelineStack } from '../pipeline/pipeline-stack.ts';

export interface ScalingOptions {
  /** Numbers of live runners, one measurement each. */
  live: readonly number[];
  /** Numbers of provisioners, one measurement each. */
  provisioners: readonly number[];
}

interface LivePoint {
  live: number;
  /** Of provisioners and NATS, while jobs come one after another. */
  cpuMsPerRunner: number;
  provisionerCpuMs: number;
  natsCpuMs: number;
  /** In a burst. */
  runnersPerS: number;
}

export interface ScalingReport {
  points: LivePoint[];
  /** What a runner costs with the most live runners, divided by what it costs with the fewest. */
  costRatio: number;
  provisioners: { n: number; runnersPerS: number; each: number[] }[];
  floor: { natsP50Ms: number };
}

const sets = 50;
const paced = { jobsPerS: 50, seconds: 20 };
const burstJobs = 1_000;
const manyJobs = 2_000;

/** What a runner costs when many live, and what more provisioners are good for. */
export async function benchScaling(
  context: BenchContext,
  { live, provisioners }: ScalingOptions,
): Promise<ScalingReport> {
  const { points, natsP50Ms } = await measureLive(context, live);
  const byProvisioners: ScalingReport['provisioners'] = [];
  for (const n of provisioners) {
    const each = await measureProvisioners(context, n);
    byProvisioners.push({ n, runnersPerS: Math.max(...each), each });
    context.say(`${n} provisioners: ${each.join(' and ')} runners a second`);
  }
  const costs = points.map(({ cpuMsPerRunner }) => cpuMsPerRunner);
  const costRatio = rounded(((costs.at(-1) ?? Number.NaN) / (costs[0] ?? Number.NaN)) * 10) / 10;
  return { points, costRatio, provisioners: byProvisioners, floor: { natsP50Ms } };
}

async function measureLive(context: BenchContext, live: readonly number[]) {
  const most = Math.max(...live) + burstJobs + paced.jobsPerS * paced.seconds;
  const maxRunners = Math.ceil((most / sets) * 1.5);
  await using stack = await PipelineStack.start(context, { sets, provisioners: 2, maxRunners });
  const floor = await measureFloor(stack.nats, context.clock);
  const points: LivePoint[] = [];
  for (const wanted of [...live].sort((a, b) => a - b)) {
    if (wanted > stack.live) await burst(stack, wanted - stack.live);
    // The news of the last jobs.
    await context.clock.sleep(2_000, context.signal);
    const before = await stack.cpu();
    const from = stack.live;
    const jobs = await addJobs(context, stack, paced);
    await stack.untilCreated(from + jobs.length, 60_000);
    const cpu = cpuPerRunner(before, await stack.cpu(), jobs.length);
    const { runnersPerS } = await burst(stack, burstJobs);
    const cpuMsPerRunner = rounded(cpu.provisioner + cpu.nats);
    const costs = { provisionerCpuMs: cpu.provisioner, natsCpuMs: cpu.nats };
    points.push({ live: from, cpuMsPerRunner, ...costs, runnersPerS });
    context.say(`${from} live: ${cpuMsPerRunner} ms of CPU a runner, ${runnersPerS} runners/s`);
  }
  return { points, natsP50Ms: floor.natsRoundTrip?.p50 ?? Number.NaN };
}

/** Two bursts: the first is a warm-up as well. */
async function measureProvisioners(context: BenchContext, n: number): Promise<number[]> {
  const maxRunners = Math.ceil((2 * manyJobs) / sets);
  await using stack = await PipelineStack.start(context, { sets, provisioners: n, maxRunners });
  const first = await burst(stack, manyJobs);
  const second = await burst(stack, manyJobs);
  return [first.runnersPerS, second.runnersPerS];
}
