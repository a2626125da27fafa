import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalEntry } from '@baton/github-sim';
import { openRunners } from '@baton/shared/stores';
import type { LocalStack } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { JournalReader } from '../journal-reader.ts';
import { firstPolls } from '../polls.ts';
import { connectAsCli, leaseTtlMs, simulatorOf, startStack } from '../stack.ts';
import { check, type Evidence, type Verdict } from './checker.ts';
import { Driver } from './driver.ts';
import { LieBook } from './lies/lie-book.ts';
import { liesVariable } from './lies/load-lying-providers.ts';
import { unitsOf } from './process-units.ts';
import { longestQuietMs, untilQuiet } from './quiet.ts';
import { isOutage } from './random-outage.ts';
import { readFacts } from './read-facts.ts';
import { schedule, type Target } from './schedule.ts';
import { workload } from './workload.ts';

export interface ChaosOptions {
  seed: number;
  minutes: number;
  targets: readonly Target[];
  /** Besides the small faults of the GitHub side: it goes away, or parts of it, for minutes. */
  githubOutages: boolean;
  /** The provider fails, and says what is not so. */
  providerLies: boolean;
  scaleSets: number;
  jobsPerMinute: number;
  /** How long it may take to come to rest; for default see `longestQuietMs`. */
  settleMinutes?: number | undefined;
  keepLogs: boolean;
}

export interface ChaosReport extends Verdict {
  seed: number;
  /** Processes that were killed, frozen or told to end. */
  kills: number;
  /** Faults of the GitHub side, outages among them. */
  faults: number;
  outages: number;
  lies: number;
  /** From the last fault until all was done and nothing was left, in ms. */
  quietMs: number;
  /** Where the logs are, when they are kept. */
  logs?: string;
}

const services = { listener: 3, provisioner: 2, janitor: 2 };
const maxRunners = 8;
const sessionExpiryMs = 20_000;
const simulatorArgs = [
  '--session-expiry-ms',
  String(sessionExpiryMs),
  '--runner-offline-ms',
  '15000',
];
/** Programs of services whose provider may lie to them. */
const liedTo = {
  provisioner: fileURLToPath(new URL('./lies/lied-to-provisioner.ts', import.meta.url)),
  janitor: fileURLToPath(new URL('./lies/lied-to-janitor.ts', import.meta.url)),
};
/** A run lasts minutes, and so do sweeps otherwise. */
const sweepOften = {
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
  await using stack = await startStack(context, {
    services,
    simulatorArgs: [...simulatorArgs, '--seed', String(options.seed)],
    maxInstances: 40,
    ownTokens: true,
    keepLogsIn: logs,
    serviceEnv: { ...sweepOften, [liesVariable]: liesFolder },
    programs: options.providerLies ? liedTo : undefined,
  });
  const run = await disturb(context, stack, { ...options, lies: new LieBook(liesFolder) });
  const { disturbances } = run.evidence;
  const verdict = check(run.evidence, { leaseTtlMs, sessionExpiryMs });
  const evidence = { ...run.evidence, crashing: [...run.evidence.crashing] };
  await writeFile(join(logs, 'evidence.json'), JSON.stringify(evidence, undefined, 1));
  say('taking the system down');
  return {
    seed: options.seed,
    ...verdict,
    kills: disturbances.filter(({ step }) => step.kind === 'strike').length,
    faults: disturbances.filter(({ step }) => step.kind === 'fault').length,
    outages: disturbances.filter(({ step }) => step.kind === 'fault' && isOutage(step.fault))
      .length,
    lies: disturbances.filter(({ step }) => step.kind === 'lie').length,
    quietMs: run.quietMs,
  };
}

/** Work and trouble, then rest. */
async function disturb(
  context: BenchContext,
  stack: LocalStack,
  options: ChaosOptions & { lies: LieBook },
) {
  const { clock, signal, say } = context;
  const { seed, minutes, targets, jobsPerMinute, githubOutages, providerLies, lies } = options;
  const sim = simulatorOf(stack);
  const lengthMs = minutes * 60_000;
  const scaleSets = Array.from({ length: options.scaleSets }, (_, index) => `set-${index + 1}`);
  const instances = stack.services.map(({ instance }) => instance);
  await stack.applyScaleSets(scaleSets.map((name) => ({ name, maxRunners })));
  const journal = new JournalReader(sim, clock);
  await journal.until(0, (entries) => polled(entries) === scaleSets.length, warmUp(signal));
  const startedAt = clock.now();
  const log = (text: string) => say(`${((clock.now() - startedAt) / 1_000).toFixed(1)} s  ${text}`);
  const driver = new Driver({ sim, units: unitsOf(stack), lies, clock, say: log });
  const over = new AbortController();
  const watching = driver.watch(over.signal);
  const reading = readOn(journal, context, over.signal);
  const wanted = { targets, instances, scaleSets, githubOutages, providerLies };
  const steps = schedule({ seed, lengthMs, ...wanted });
  try {
    await Promise.all([
      driver.run(steps, signal),
      driver.queueJobs(workload({ seed, lengthMs, jobsPerMinute, scaleSets }), signal),
    ]);
    log('all jobs are queued, all faults are over: waiting until all is done');
    const longestMs = longestQuietMs(options);
    await using nats = await connectAsCli(stack, context);
    const runners = await openRunners(nats);
    const records = async () => (await runners.list()).length;
    const place = { stack, sim, records, scaleSets: scaleSets.length };
    const quiet = { ...place, longestMs, clock, signal, say: log };
    const quietMs = await untilQuiet(quiet);
    log(quietMs < longestMs ? `at rest after ${quietMs} ms` : 'it does not come to rest');
    await journal.read();
    const evidence: Evidence = {
      jobs: await sim.jobs(),
      crashing: driver.crashing,
      books: await sim.books(),
      instances: (await stack.instances()).length,
      records: await records(),
      told: await lies.told(),
      journal: journal.entries,
      disturbances: driver.disturbances,
      listeners: instances.filter((name) => name.startsWith('listener-')),
      facts: await readFacts(nats),
      drains: driver.drains,
      endMs: clock.now(),
      endedByThemselves: driver.endedByThemselves,
    };
    return { evidence, quietMs };
  } finally {
    over.abort();
    await Promise.allSettled([watching, reading]);
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
