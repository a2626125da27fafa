import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalEntry } from '@baton/github-sim';
import { RunnerHost } from '@baton/github-sim/runner-host';
import { openRunners } from '@baton/shared/stores';
import { type LocalStack, seededRandom } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { JournalReader } from '../journal-reader.ts';
import { firstPolls } from '../polls.ts';
import { connectAsCli, leaseTtlMs, simulatorOf, startStack } from '../stack.ts';
import { check, type Evidence, type Verdict } from './checker.ts';
import { cut, type Span } from './cut.ts';
import { Driver } from './driver.ts';
import { bootstrapTimeoutMs } from './duplicate-runners.ts';
import { killRunner } from './kill-runner.ts';
import { LieBook } from './lies/lie-book.ts';
import { liesVariable } from './lies/load-lying-providers.ts';
import { longestMs, meanStretch } from './machine/slowness.ts';
import { startWitness } from './machine/witness.ts';
import { unitsOf } from './process-units.ts';
import { longestQuietMs, untilQuiet } from './quiet.ts';
import { isOutage } from './random-outage.ts';
import { readFacts } from './read-facts.ts';
import { type Step, schedule, type Target } from './schedule.ts';
import { startUnreliableCollector } from './unreliable-collector.ts';
import { type PlannedJob, workload } from './workload.ts';

export interface ChaosOptions {
  seed: number;
  minutes: number;
  targets: readonly Target[];
  /** Besides the small faults of the GitHub side: it goes away, or parts of it, for minutes. */
  githubOutages: boolean;
  /** The provider fails, and says what is not so. */
  providerLies: boolean;
  /** Services send traces and metrics to a collector that mostly does not take them. */
  traces: boolean;
  /** Only what begins in this part of the run is done. */
  only?: Span | undefined;
  /** What is done, instead of what the seed says. */
  script?: Script | undefined;
  scaleSets: number;
  jobsPerMinute: number;
  /** How long it may take to come to rest; for default see `longestQuietMs`. */
  settleMinutes?: number | undefined;
  keepLogs: boolean;
}

/** All that is done in a run. */
export interface Script {
  steps: readonly Step[];
  jobs: readonly PlannedJob[];
}

export interface ChaosReport extends Verdict {
  /** Whose books it was judged by. */
  books: readonly string[];
  seed: number;
  /** Processes that were killed, frozen or told to end. */
  kills: number;
  /** Faults of the GitHub side, outages among them. */
  faults: number;
  outages: number;
  lies: number;
  /** How many spans the collector took. */
  spans: number;
  /** The longest time in which a process that does next to nothing got no further, in ms. */
  standstillMs: number;
  /** How many times as long work took as it had the CPU for, on average. */
  stretch: number;
  /** From the last fault until all was done and nothing was left, in ms. */
  quietMs: number;
  /** Where the logs are, when they are kept. */
  logs?: string;
}

const books = [
  "the simulator's books: jobs, runners, registrations",
  "the simulator's journal: polls, messages, sessions",
  "the provider's files: instances",
  'JetStream: facts about jobs, by the books of the simulator',
];
const services = { listener: 3, provisioner: 2, janitor: 2 };
const maxRunners = 8;
const withoutJobs = 'set-without-jobs';
const sessionExpiryMs = 20_000;
const simulatorArgs = [
  '--session-expiry-ms',
  String(sessionExpiryMs),
  '--runner-offline-ms',
  '15000',
];
/** Runners are processes that live and die as any; only what they say to GitHub is said by this one. */
const shellRunner = fileURLToPath(
  new URL('../../packages/github-sim/bin/run-hosted.sh', import.meta.url),
);
/** Programs of services whose provider may lie to them. */
const liedTo = {
  provisioner: fileURLToPath(new URL('./lies/lied-to-provisioner.ts', import.meta.url)),
  janitor: fileURLToPath(new URL('./lies/lied-to-janitor.ts', import.meta.url)),
};
/** A run lasts minutes, and so does it otherwise until something is looked at again. */
const lookOften = {
  BATON_GITHUB_LOOK_EVERY_MS: '10000',
  BATON_SWEEP_EVERY_MS: '5000',
  BATON_GITHUB_SWEEP_EVERY_MS: '10000',
  BATON_ORPHAN_REGISTRATION_MS: '30000',
};
const warmUpMs = 60_000;
const readEveryMs = 1_000;

/** Runs a system under random kills and faults, lets it come to rest, and judges it by the books. */
export async function runChaos(context: BenchContext, options: ChaosOptions): Promise<ChaosReport> {
  const logs = await mkdtemp(join(tmpdir(), `baton-chaos-${options.seed}-`));
  let keep = true;
  try {
    const report = await runIn(logs, context, options);
    keep = options.keepLogs || report.promisesBroken.length > 0;
    return keep ? { ...report, logs } : report;
  } finally {
    if (!keep || context.signal.aborted) await rm(logs, { recursive: true, force: true });
  }
}

async function runIn(
  logs: string,
  context: BenchContext,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { say } = context;
  const liesFolder = join(logs, 'lies');
  await mkdir(liesFolder);
  const random = seededRandom(options.seed ^ 0x07e1);
  await using collector = options.traces
    ? await startUnreliableCollector(random, context.clock)
    : undefined;
  const shells = join(logs, 'shells');
  await using _host = await RunnerHost.start(shells);
  await using stack = await startStack(context, {
    services,
    simulatedRunner: { command: [shellRunner], env: { SIM_RUNNER_HOST: shells } },
    simulatorArgs: [...simulatorArgs, '--seed', String(options.seed)],
    maxInstances: 40,
    ownTokens: true,
    keepLogsIn: logs,
    serviceEnv: { ...lookOften, ...collector?.env, [liesVariable]: liesFolder },
    programs: options.providerLies ? liedTo : undefined,
  });
  const lies = new LieBook(liesFolder);
  const script = options.script ?? scriptOf(stack, options);
  await writeFile(join(logs, 'script.json'), JSON.stringify(script, undefined, 1));
  const run = await disturb(context, stack, { ...options, ...script, lies });
  const { disturbances } = run.evidence;
  const verdict = check(run.evidence, { leaseTtlMs, sessionExpiryMs });
  const { crashing, dropped } = run.evidence;
  const evidence = { ...run.evidence, crashing: [...crashing], dropped: [...dropped] };
  await writeFile(join(logs, 'evidence.json'), JSON.stringify(evidence, undefined, 1));
  say('taking the system down');
  return {
    books,
    seed: options.seed,
    ...verdict,
    kills: disturbances.filter(({ step }) => step.kind === 'strike').length,
    faults: disturbances.filter(({ step }) => step.kind === 'fault').length,
    outages: disturbances.filter(({ step }) => step.kind === 'fault' && isOutage(step.fault))
      .length,
    lies: disturbances.filter(({ step }) => step.kind === 'lie').length,
    spans: collector?.taken() ?? 0,
    standstillMs: longestMs(run.evidence.sights),
    stretch: Number(meanStretch(run.evidence.sights).toFixed(1)),
    quietMs: run.quietMs,
  };
}

function scaleSetsOf({ scaleSets }: Pick<ChaosOptions, 'scaleSets'>): string[] {
  return Array.from({ length: scaleSets }, (_, index) => `set-${index + 1}`);
}

function instancesOf({ services: processes }: LocalStack): string[] {
  return processes.map(({ instance }) => instance);
}

/** What the seed says. */
function scriptOf(stack: LocalStack, { minutes, only, ...options }: ChaosOptions): Script {
  const lengthMs = minutes * 60_000;
  const scaleSets = scaleSetsOf(options);
  const place = { ...options, lengthMs, scaleSets, withoutJobs, instances: instancesOf(stack) };
  return { steps: cut(schedule(place), only), jobs: cut(workload(place), only) };
}

/** Work and trouble, then rest. */
async function disturb(
  context: BenchContext,
  stack: LocalStack,
  options: ChaosOptions & Script & { lies: LieBook },
) {
  const { clock, signal, say } = context;
  const { steps, jobs, lies } = options;
  const sim = simulatorOf(stack);
  const scaleSets = [...scaleSetsOf(options), withoutJobs];
  const limits = { maxRunners, bootstrapTimeoutSeconds: bootstrapTimeoutMs / 1_000 };
  await stack.applyScaleSets(scaleSets.map((name) => ({ name, ...limits })));
  const journal = new JournalReader(sim, clock);
  await journal.until(0, (entries) => polled(entries) === scaleSets.length, warmUp(signal));
  const startedAt = clock.now();
  const log = (text: string) => say(`${((clock.now() - startedAt) / 1_000).toFixed(1)} s  ${text}`);
  const kill = (name: string) => killRunner(stack, name);
  const units = unitsOf(stack);
  await using witness = startWitness(new URL(stack.configUrl).origin);
  const driver = new Driver({ sim, units, lies, clock, say: log, killRunner: kill });
  const over = new AbortController();
  const watching = driver.watch(over.signal);
  const until = AbortSignal.any([signal, over.signal]);
  const doing: Promise<void>[] = [];
  const reading = readOn(journal, context, over.signal);
  try {
    doing.push(driver.run(steps, until), driver.queueJobs(jobs, until));
    await Promise.all(doing);
    log('all jobs are queued, all faults are over: waiting until all is done');
    const longestMs = longestQuietMs(options);
    await using nats = await connectAsCli(stack, context);
    const runners = await openRunners(nats);
    const records = async () => (await runners.list()).length;
    const place = { stack, sim, records, scaleSets: scaleSets.length };
    const quiet = { ...place, longestMs, clock, signal, say: log };
    const { quietMs, unrest } = await untilQuiet(quiet);
    log(unrest === undefined ? `at rest after ${quietMs} ms` : `not at rest: ${unrest}`);
    await journal.read();
    const evidence: Evidence = {
      jobs: await sim.jobs(),
      crashing: driver.crashing,
      dropped: driver.dropped,
      books: await sim.books(),
      instances: (await stack.instances()).length,
      records: await records(),
      told: await lies.told(),
      journal: journal.entries,
      disturbances: driver.disturbances,
      listeners: instancesOf(stack).filter((name) => name.startsWith('listener-')),
      facts: await readFacts(nats),
      drains: driver.drains,
      sights: witness.sights,
      endMs: clock.now(),
      unrest,
      endedByThemselves: driver.endedByThemselves,
    };
    return { evidence, quietMs };
  } finally {
    over.abort();
    // What is struck is started again: never beside, or after, the end of the stack.
    await Promise.allSettled([...doing, watching, reading]);
  }
}

function polled(entries: readonly JournalEntry[]): number {
  return firstPolls(entries).size;
}

function warmUp(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(warmUpMs)]);
}

/** The simulator forgets old entries of its journal: they are read in time. */
async function readOn(
  journal: JournalReader,
  { clock }: BenchContext,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // What could not be read is read the next time.
    await journal.read().catch(() => undefined);
    await clock.sleep(readEveryMs, signal).catch(() => undefined);
  }
}
