import type { Random } from '@baton/shared/retry';
import { pick, seededRandom } from '@baton/stack';
import { type LieStep, lies } from './lies/random-lie.ts';
import { type GitHubFault, randomFault, type Victims } from './random-fault.ts';
import { outages } from './random-outage.ts';

export const targets = ['listener', 'provisioner', 'janitor', 'nats'] as const;
export type Target = (typeof targets)[number];

/** What is done to a process. It is back `backAfterMs` later, by a restart or by SIGCONT. */
export interface Strike {
  kind: 'strike';
  atMs: number;
  how: 'kill' | 'freeze' | 'terminate';
  /** An instance, or `nats`. */
  victim: string;
  backAfterMs: number;
}

/** What is done to the GitHub side, or to the runners. */
export interface FaultStep {
  kind: 'fault';
  atMs: number;
  fault: GitHubFault;
}

export type Step = Strike | FaultStep | LieStep;

export interface ScheduleOptions extends Victims {
  seed: number;
  /** No step begins later. */
  lengthMs: number;
  targets: readonly Target[];
  /** Names of the instances that run, by service. */
  instances: readonly string[];
  /** Besides the small faults. */
  githubOutages?: boolean;
  providerLies?: boolean;
}

/** Mean times between two steps of a kind, in ms. */
const meanStrikeGapMs = 4_000;
const meanFaultGapMs = 3_000;

const hows = ['kill', 'kill', 'freeze', 'terminate'] as const;

/** Everything that will be done, in order; the same for the same options. Pure. */
export function schedule(options: ScheduleOptions): Step[] {
  const { seed, lengthMs, githubOutages = false, providerLies = false } = options;
  const whom = options.instances.filter((name) => /^(provisioner|janitor)-/.test(name));
  return [
    ...strikes(options),
    ...faults(options),
    // Sequences of their own: they change nothing about the rest.
    ...(githubOutages ? outages(seededRandom(seed ^ 0x0a7a6e), lengthMs) : []),
    ...(providerLies ? lies(seededRandom(seed ^ 0x11e5), { lengthMs, whom }) : []),
  ].sort((a, b) => a.atMs - b.atMs);
}

/** A process that is down or frozen is not struck again before it is back. */
function strikes({ seed, lengthMs, targets: wanted, instances }: ScheduleOptions): Strike[] {
  const random = seededRandom(seed);
  const victims = wanted.flatMap((target) =>
    target === 'nats' ? ['nats'] : instances.filter((name) => name.startsWith(`${target}-`)),
  );
  const backAt = new Map<string, number>();
  const planned: Strike[] = [];
  for (const atMs of arrivals(random, meanStrikeGapMs, lengthMs)) {
    const victim = pick(wanted, random) === 'nats' ? 'nats' : pick(victims, random);
    const how = pick(hows, random) ?? 'kill';
    const backAfterMs = awayMs(how, victim, random);
    if (victim === undefined || !victims.includes(victim)) continue;
    if ((backAt.get(victim) ?? 0) > atMs) continue;
    backAt.set(victim, atMs + backAfterMs + settleMs);
    planned.push({ kind: 'strike', atMs, how, victim, backAfterMs });
  }
  return planned;
}

/** A process that has come back is left alone for so long: it is still starting, in ms. */
const settleMs = 1_500;

function awayMs(how: Strike['how'], victim: string | undefined, random: Random): number {
  const longestMs = how === 'freeze' ? 15_000 : victim === 'nats' ? 6_000 : 4_000;
  return Math.round(200 + random() ** 2 * longestMs);
}

function faults({ seed, lengthMs, ...victims }: ScheduleOptions): FaultStep[] {
  // A sequence of its own: other targets change nothing about the faults.
  const random = seededRandom(seed ^ 0x5eed);
  return arrivals(random, meanFaultGapMs, lengthMs).map((atMs) => ({
    kind: 'fault',
    atMs,
    fault: randomFault(random, victims),
  }));
}

function arrivals(random: Random, meanGapMs: number, lengthMs: number): number[] {
  const times: number[] = [];
  let atMs = 0;
  for (;;) {
    atMs -= Math.log(1 - random()) * meanGapMs;
    if (atMs >= lengthMs) return times;
    times.push(Math.round(atMs));
  }
}
