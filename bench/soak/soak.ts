import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunnerHost } from '@baton/github-sim/runner-host';
import { deletedRunnerKeptMs } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import type { Nats } from '@baton/shared/messaging';
import { notNeeded } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { connectAsCli, simulatorOf, startStack } from '../stack.ts';
import { comeToRest } from './come-to-rest.ts';
import type { KeyCount } from './jetstream-sample.ts';
import { judge, type SteadyReport } from './judge.ts';
import { leftovers, type Rest } from './leftovers.ts';
import { Progress } from './progress.ts';
import { queueEvenly } from './queue-evenly.ts';
import { type Sample, watch } from './watch.ts';

export interface SoakOptions {
  minutes: number;
  jobsPerS: number;
  scaleSets: number;
  keepLogs: boolean;
}

export interface SoakReport extends SteadyReport {
  minutes: number;
  jobs: number;
  completed: number;
  /** By whose records it was judged. */
  books: readonly string[];
  /** What the keys of each bucket held when nothing was done any more. */
  keysAtRest: Record<string, KeyCount>;
  /** What is wrong at the end. */
  left: string[];
  /** Where the logs are, when they are kept. */
  logs?: string;
}

const books = [
  'simulator: jobs, runners online, registrations',
  'process provider: instances, by its files',
  '/proc: memory, handles, threads',
  'JetStream: messages, keys, consumers; files of nats-server',
] as const;

const services = { listener: 2, provisioner: 2, janitor: 2 };
/** Somewhat more often than by default, so that an hour has many of them. */
const sweepOften = { BATON_SWEEP_EVERY_MS: '30000', BATON_GITHUB_SWEEP_EVERY_MS: '60000' };
const maxInstances = 100;
const hostedRunner = fileURLToPath(
  new URL('../../packages/github-sim/bin/run-hosted.sh', import.meta.url),
);
const startTimeoutMs = 60_000;
const lookEveryMs = 100;
/**
 * What comes before counts nothing: code is loaded and compiled, pools fill, and janitors forget no runner
 * before it has been gone for two minutes.
 */
const warmUp = { share: 0.2, leastMs: 1.5 * deletedRunnerKeptMs };

/** Works at an even pace for so long, comes to rest, and tells what grew and what is left. */
export async function runSoak(context: BenchContext, options: SoakOptions): Promise<SoakReport> {
  const logs = await mkdtemp(join(tmpdir(), 'baton-soak-'));
  let keep = true;
  try {
    const report = await runIn(logs, context, options);
    keep = options.keepLogs || report.grew.length + report.left.length > 0;
    return keep ? { ...report, logs } : report;
  } finally {
    if (!keep || context.signal.aborted) await rm(logs, { recursive: true, force: true });
    else context.say(`logs: ${logs}`);
  }
}

async function runIn(
  logs: string,
  context: BenchContext,
  options: SoakOptions,
): Promise<SoakReport> {
  await using cleanup = new AsyncDisposableStack();
  const runners = join(logs, 'runners');
  cleanup.use(await RunnerHost.start(runners));
  const stack = cleanup.use(
    await startStack(context, {
      services,
      simulatorArgs: [],
      maxInstances,
      keepLogsIn: logs,
      serviceEnv: sweepOften,
      // A Node process for each runner would have the machine for itself.
      simulatedRunner: { command: [hostedRunner], env: { SIM_RUNNER_HOST: runners } },
    }),
  );
  const nats = cleanup.use(await connectAsCli(stack, context));
  const over = new AbortController();
  cleanup.defer(() => over.abort(notNeeded));
  const signal = AbortSignal.any([context.signal, over.signal]);
  const { samples, rest } = await Promise.race([
    soak({ ...context, signal }, { stack, nats }, options),
    endOfAny(stack),
  ]);
  context.say('taking the system down');
  return reportOf(options, samples, rest);
}

interface Place {
  stack: LocalStack;
  nats: Nats;
}

async function soak(
  context: BenchContext,
  place: Place,
  { minutes, jobsPerS, scaleSets: count }: SoakOptions,
): Promise<{ samples: Sample[]; rest: Rest }> {
  const { clock, signal } = context;
  const sim = simulatorOf(place.stack);
  const lengthMs = minutes * 60_000;
  const scaleSets = Array.from({ length: count }, (_, index) => `set-${index + 1}`);
  const maxRunners = Math.ceil((2 * maxInstances) / count);
  await place.stack.applyScaleSets(scaleSets.map((name) => ({ name, maxRunners })));
  const patience = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]);
  while ((await sim.state()).pollsHeld < count) await clock.sleep(lookEveryMs, patience);
  const samples: Sample[] = [];
  const progress = new Progress(context.say);
  const onSample = (sample: Sample) => {
    samples.push(sample);
    progress.tell(sample);
  };
  await Promise.all([
    watch(context, place, { lengthMs, onSample }),
    queueEvenly(sim, { scaleSets, jobsPerS, lengthMs }, context),
  ]);
  const rest = await comeToRest(context, { ...place, sim, scaleSets: count });
  return { samples, rest };
}

/** Rejects when a process has ended that nobody told to. */
async function endOfAny(stack: LocalStack): Promise<never> {
  const ends = stack.services.map(async (service) => {
    const exitCode = await service.exited();
    const lines = [`${service.instance} ended with exit code ${exitCode}`, ...service.recentLines];
    return lines.join('\n');
  });
  const nats = stack.natsExited().then(() => 'nats-server has ended');
  const simulator = stack.simulatorEnded().then(({ message }) => message);
  throw new AppError('unexpected', await Promise.race([...ends, nats, simulator]));
}

function reportOf({ minutes }: SoakOptions, samples: readonly Sample[], rest: Rest): SoakReport {
  const warmMs = Math.max(warmUp.leastMs, warmUp.share * minutes * 60_000);
  const { completed, total: jobs } = rest.books.jobs;
  return {
    minutes,
    jobs,
    completed,
    books,
    ...judge(samples.filter(({ atMs }) => atMs >= warmMs)),
    keysAtRest: rest.keys,
    left: leftovers(rest),
  };
}
