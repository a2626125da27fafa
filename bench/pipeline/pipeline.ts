import { scaleSetIdOf } from '@baton/shared/contracts';
import type { BenchContext } from '../context.ts';
import { type Floor, measureFloor } from '../measure/floor.ts';
import { type Range, rangeOf, ratio, rounded } from '../measure/percentiles.ts';
import { healthUrlOf } from '../stack.ts';
import { createLatencies } from './create-latencies.ts';
import { addJobs, burst } from './jobs.ts';
import { type CpuTimes, cpuPerRunner, medianCpu, PipelineStack } from './pipeline-stack.ts';
import { type RateFigures, rateFigures } from './rate-figures.ts';

export interface PipelineOptions {
  /** Jobs a second, one measurement each. */
  rates: readonly number[];
  /** How long each rate lasts in a pass over all of them. */
  seconds: number;
  passes: number;
  /** Jobs of a burst; three follow each other. */
  jobs: number;
  profileDir?: string | undefined;
}

interface BurstFigures {
  burst: { jobs: number; runnersPerS: number; ranges: { runnersPerS: Range } };
  /** Medians of the bursts. */
  cpuMsPerRunner: CpuTimes;
  /** With as many live runners as two bursts made: 10,000 where the options are not changed. */
  provisionerRssMb10k: number;
}

export interface PipelineReport extends BurstFigures {
  rates: RateFigures[];
  floor: Floor;
  ratios: {
    /** Bare messages a second to runners a second. */
    runnersPerS: number;
    /** Listener, provisioners and NATS, to what a bare message costs. */
    cpuMsPerRunner: number;
    /** To a process that takes bare messages. */
    provisionerRssMb10k: number;
  };
  books: readonly string[];
}

const provisioners = 2;
const rateSets = 20;
const burstSets = 50;
const bursts = 3;
const warmUp = { jobsPerS: 20, seconds: 3 };
/** Of the jobs of a burst. */
const warmUpShare = 0.1;
const books = [
  "the simulator's journal and jobs: polls answered",
  "the provider's book: creates",
  '/proc: CPU and memory',
];

/** How fast a job gets its runner, with compute that is there at once. */
export async function benchPipeline(
  context: BenchContext,
  options: PipelineOptions,
): Promise<PipelineReport> {
  const { rates, floor } = await measureRates(context, options);
  const figures = await measureBursts(context, options);
  const { listener, provisioner, nats } = figures.cpuMsPerRunner;
  return {
    rates,
    ...figures,
    floor,
    ratios: {
      runnersPerS: ratio(floor.messagesPerS, figures.burst.runnersPerS),
      cpuMsPerRunner: ratio(listener + provisioner + nats, floor.cpuMsPerMessage),
      provisionerRssMb10k: ratio(figures.provisionerRssMb10k, floor.consumerRssMb),
    },
    books,
  };
}

async function measureBursts(
  context: BenchContext,
  { jobs, profileDir }: PipelineOptions,
): Promise<BurstFigures> {
  context.say(`${bursts} bursts of ${jobs} jobs over ${burstSets} sets`);
  const maxRunners = Math.ceil(((bursts + warmUpShare) * jobs) / burstSets) + bursts + 1;
  const sizes = { sets: burstSets, provisioners, maxRunners };
  await using stack = await PipelineStack.start(context, { ...sizes, profileDir });
  await burst(stack, Math.ceil(jobs * warmUpShare));
  const perS: number[] = [];
  const cpu: CpuTimes[] = [];
  let rssMb = Number.NaN;
  for (let turn = 0; turn < bursts; turn += 1) {
    const [before, live] = [await stack.cpu(), stack.live];
    perS.push((await burst(stack, jobs)).runnersPerS);
    cpu.push(cpuPerRunner(before, await stack.cpu(), stack.live - live));
    if (turn !== 1) continue;
    // Two passes and the deliveries of the last jobs.
    await context.clock.sleep(10_000, context.signal);
    rssMb = await stack.provisionerRssMb();
  }
  context.say(`${perS.join(', ')} runners a second`);
  const runnersPerS = rangeOf(perS);
  return {
    burst: { jobs, runnersPerS: runnersPerS.median, ranges: { runnersPerS } },
    cpuMsPerRunner: medianCpu(cpu),
    provisionerRssMb10k: rounded(rssMb),
  };
}

/** The passes go over the rates there and back, in one run: what the machine does is about the same for all. */
async function measureRates(
  context: BenchContext,
  { rates, seconds, passes }: PipelineOptions,
): Promise<{ rates: RateFigures[]; floor: Floor }> {
  const total = rates.reduce((sum, rate) => sum + rate * seconds * passes, 0);
  const maxRunners = Math.ceil((total / rateSets) * 1.5) + 20;
  const sizes = { sets: rateSets, provisioners, maxRunners };
  await using stack = await PipelineStack.start(context, sizes);
  const floor = await measureFloor(context, healthUrlOf(stack.stack));
  const floorMs = floor.natsP50Ms + floor.httpP50Ms;
  await createTimes(context, stack, warmUp);
  const times = new Map(rates.map((rate): [number, number[][]] => [rate, []]));
  for (let pass = 0; pass < passes; pass += 1) {
    for (const jobsPerS of pass % 2 === 0 ? rates : rates.toReversed()) {
      times.get(jobsPerS)?.push(await createTimes(context, stack, { jobsPerS, seconds }));
    }
    context.say(`pass ${pass + 1} of ${passes} over ${rates.join(', ')} jobs a second`);
  }
  return { rates: [...times].map(([rate, each]) => rateFigures(rate, each, floorMs)), floor };
}

/** From the answer to the poll to the provider's create, of jobs at an even pace; ms. */
async function createTimes(
  context: BenchContext,
  stack: PipelineStack,
  rate: { jobsPerS: number; seconds: number },
): Promise<number[]> {
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
  return createLatencies(jobs, journal.since(position), created);
}
