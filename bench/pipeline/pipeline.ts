import { scaleSetIdOf } from '@baton/shared/contracts';
import type { BenchContext } from '../context.ts';
import { httpRoundTrip, measureFloor } from '../measure/floor.ts';
import { percentile, rounded, type Spread } from '../measure/percentiles.ts';
import { createLatencies } from './create-latencies.ts';
import { addJobs, type Burst, burst } from './jobs.ts';
import { type CpuTimes, cpuPerRunner, PipelineStack } from './pipeline-stack.ts';

export interface PipelineOptions {
  /** Jobs a second, one measurement each. */
  rates: readonly number[];
  /** How long each rate lasts. */
  seconds: number;
  /** Jobs of a burst; two follow each other. */
  jobs: number;
  profileDir?: string | undefined;
}

/** From the answer to the poll to the provider's create. */
interface RateFigures {
  jobsPerS: number;
  runners: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface PipelineReport {
  rates: RateFigures[];
  /** The mean of the bursts, and each. */
  burst: { jobs: number; runnersPerS: number; each: number[] };
  floor: { natsP50Ms: number; httpP50Ms: number };
  /** During the bursts. */
  cpuMsPerRunner: CpuTimes;
  /** With as many live runners as the bursts made: 10,000 where the options are not changed. */
  provisionerRssMb10k: number;
}

const provisioners = 2;
const rateSets = 20;
const burstSets = 50;
const bursts = 2;
const warmUp = { jobsPerS: 20, seconds: 3 };

/** How fast a job gets its runner, with compute that is there at once. */
export async function benchPipeline(
  context: BenchContext,
  { rates, seconds, jobs, profileDir }: PipelineOptions,
): Promise<PipelineReport> {
  const { rateFigures, floor } = await measureRates(context, { rates, seconds });
  context.say(`${bursts} bursts of ${jobs} jobs over ${burstSets} sets`);
  const maxRunners = Math.ceil((bursts * jobs) / burstSets);
  await using stack = await PipelineStack.start(context, {
    sets: burstSets,
    provisioners,
    maxRunners,
    profileDir,
  });
  const before = await stack.cpu();
  const each: Burst[] = [];
  for (let turn = 0; turn < bursts; turn += 1) each.push(await burst(stack, jobs));
  const cpuMsPerRunner = cpuPerRunner(before, await stack.cpu(), stack.live);
  context.say(`${each.map(({ runnersPerS }) => runnersPerS).join(' and ')} runners a second`);
  // Two passes and the deliveries of the last jobs.
  await context.clock.sleep(10_000, context.signal);
  const perS = each.map(({ runnersPerS }) => runnersPerS);
  return {
    rates: rateFigures,
    burst: {
      jobs,
      runnersPerS: rounded((bursts * jobs * 1_000) / each.reduce((sum, { ms }) => sum + ms, 0)),
      each: perS,
    },
    floor,
    cpuMsPerRunner,
    provisionerRssMb10k: rounded(await stack.provisionerRssMb()),
  };
}

async function measureRates(
  context: BenchContext,
  { rates, seconds }: Pick<PipelineOptions, 'rates' | 'seconds'>,
) {
  const total = rates.reduce((sum, rate) => sum + rate * seconds, 0);
  const maxRunners = Math.ceil((total / rateSets) * 1.5) + 20;
  await using stack = await PipelineStack.start(context, {
    sets: rateSets,
    provisioners,
    maxRunners,
  });
  const natsRoundTrip = (await measureFloor(stack.nats, context.clock)).natsRoundTrip;
  const http = await httpRoundTrip(stack.healthUrl, context.clock);
  const floor = { natsP50Ms: medianOf(natsRoundTrip), httpP50Ms: medianOf(http) };
  await measureRate(context, stack, warmUp);
  const rateFigures: RateFigures[] = [];
  for (const jobsPerS of rates) {
    const figures = await measureRate(context, stack, { jobsPerS, seconds });
    rateFigures.push(figures);
    context.say(
      `${jobsPerS} jobs/s: p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms (${figures.runners} runners)`,
    );
  }
  return { rateFigures, floor };
}

async function measureRate(
  context: BenchContext,
  stack: PipelineStack,
  rate: { jobsPerS: number; seconds: number },
): Promise<RateFigures> {
  const { journal, book, sim } = stack;
  await journal.read();
  const position = journal.position;
  const known = new Set(book.lines.keys());
  const ids = new Set(await addJobs(context, stack, rate));
  await stack.untilCreated(known.size + ids.size, 60_000);
  await journal.read();
  const jobs = (await sim.jobs()).filter(({ id }) => ids.has(id));
  const nameOf = new Map(stack.names.map((name) => [scaleSetIdOf(name), name]));
  const created = [...book.lines.values()]
    .filter(({ runnerId }) => !known.has(runnerId))
    .map(({ scaleSetId, at }) => ({ scaleSet: nameOf.get(scaleSetId) ?? scaleSetId, at }));
  const times = createLatencies(jobs, journal.since(position), created);
  return {
    jobsPerS: rate.jobsPerS,
    runners: times.length,
    p50Ms: rounded(percentile(times, 0.5)),
    p99Ms: rounded(percentile(times, 0.99)),
    maxMs: rounded(percentile(times, 1)),
  };
}

function medianOf(measured: Spread | undefined): number {
  return measured?.p50 ?? Number.NaN;
}
