import type { SimControl } from '@baton/github-sim';
import { AppError } from '@baton/shared/errors';
import { exitCodes } from '@baton/shared/lifecycle';
import { isAborted } from '@baton/shared/time';
import { aborted } from './aborted.ts';
import type { Io } from './io.ts';
import { openJobs } from './job-counts.ts';
import type { StartOptions } from './options.ts';
import { queueJobs } from './queue-jobs.ts';
import { seededRandom } from './random.ts';
import { judge, type Kill, type Report } from './report.ts';
import { type Leftovers, settle } from './settle.ts';
import { strike } from './strike.ts';
import { type RunningStack, withStack } from './with-stack.ts';
import { workload } from './workload.ts';

interface Simulation extends RunningStack {
  sim: SimControl;
  options: StartOptions;
  io: Io;
}

const maxRunners = 10;
const lookEveryMs = 50;
/** A run with `--exit` never takes longer, in ms. */
const longestRunMs = (jobs: number) => jobs * 3_000 + 120_000;

/** The stack against the simulator, with jobs; returns the exit code. */
export async function runSimulation(options: StartOptions, io: Io): Promise<number> {
  const { value: report, undrained } = await withStack(
    { kind: 'simulator', args: ['--seed', String(options.seed)] },
    { options, io },
    async (running, signal) => {
      const { sim } = running.stack;
      if (!sim) throw new AppError('unexpected', 'the stack has no simulator');
      running.say(`seed ${options.seed}`);
      const simulation = { ...running, sim, options, io };
      return await (options.exit ? measure(simulation, signal) : keepBusy(simulation, signal));
    },
  );
  if (!options.exit) return exitCodes.ok;
  if (!report || io.stop.aborted) {
    io.stderr.write('stopped before the end\n');
    return exitCodes.failed;
  }
  const { exitCode, problems } = judge(report, { kill: options.kill, undrained });
  for (const problem of problems) io.stderr.write(`not right: ${problem}\n`);
  io.stdout.write(`${JSON.stringify(report)}\n`);
  return exitCode;
}

/** Gives the stack work until it is stopped. */
async function keepBusy(simulation: Simulation, signal: AbortSignal): Promise<undefined> {
  await untilStopped(signal, async () => {
    await declareScaleSets(simulation, signal);
    await work(simulation, signal);
    if (!signal.aborted) simulation.say('all jobs are done; Ctrl-C ends everything');
  });
  await aborted(signal);
}

/** Gives the stack its jobs and reports how it went; undefined when it was stopped meanwhile. */
async function measure(simulation: Simulation, stopped: AbortSignal): Promise<Report | undefined> {
  const { options, io, sim, stack } = simulation;
  const { clock } = io;
  const jobs = options.jobs ?? 0;
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(longestRunMs(jobs))]);
  const declared = await untilStopped(signal, () => declareScaleSets(simulation, signal));
  const startedAt = clock.monotonic();
  const kills = declared ? await work(simulation, signal) : [];
  if (stopped.aborted) return undefined;
  if (signal.aborted) simulation.say('it takes too long: reporting how far it came');
  const left = await settle({ stack, sim, clock, signal });
  return reportOf(left, { jobs, kills, wallMs: Math.round(clock.monotonic() - startedAt) });
}

/** Declares the scale sets and waits until all of them are polled. */
async function declareScaleSets(
  { stack, sim, options, io }: Simulation,
  signal: AbortSignal,
): Promise<true> {
  await stack.applyScaleSets(scaleSetNames(options).map((name) => ({ name, maxRunners })));
  while ((await sim.state()).pollsHeld < options.scaleSets) {
    await io.clock.sleep(lookEveryMs, signal);
  }
  return true;
}

/** Queues the jobs, kills what is to be killed, and waits until no job is open. */
async function work(simulation: Simulation, signal: AbortSignal): Promise<Kill[]> {
  const { sim, options, io } = simulation;
  const { kill: target, jobs: jobCount, seed, scaleSets } = options;
  const { clock } = io;
  // A sequence of its own: whom a kill hits changes nothing about the jobs.
  const random = seededRandom(seed ^ 0x5eed);
  const striking =
    target && jobCount !== undefined
      ? strike({ ...simulation, target, jobCount, clock, random }, signal)
      : Promise.resolve([]);
  const finishing = untilStopped(signal, async () => {
    await queueJobs({
      sim,
      jobs: workload({ seed, scaleSetCount: scaleSets, jobCount }),
      scaleSets: scaleSetNames(options),
      clock,
      signal,
    });
    while (openJobs((await sim.state()).jobs) > 0) await clock.sleep(lookEveryMs, signal);
  });
  const [kills] = await Promise.all([striking, finishing]);
  return kills;
}

function scaleSetNames({ scaleSets }: StartOptions): string[] {
  return Array.from({ length: scaleSets }, (_, index) => `set-${index + 1}`);
}

/** Does the work; resolves with nothing when it ended early because the signal was aborted. */
async function untilStopped<T>(
  signal: AbortSignal,
  task: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (!isAborted(signal)) throw error;
    return undefined;
  }
}

function reportOf(
  { books, runners, registrations, instances }: Leftovers,
  { jobs, kills, wallMs }: Pick<Report, 'jobs' | 'kills' | 'wallMs'>,
): Report {
  return {
    jobs,
    completed: books.jobs.completed,
    lostJobs: books.lostJobs,
    duplicateRunners: books.duplicateRunners,
    leftoverRunners: runners,
    leftoverRegistrations: registrations,
    leftoverInstances: instances,
    sessionGapMs: Math.round(books.sessionGapMs),
    kills,
    wallMs,
  };
}
