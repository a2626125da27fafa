import type { Books, JobRecord, JournalEntry } from '@baton/github-sim';
import { pollGaps } from '../polls.ts';
import { type BrokenGap, brokenGaps } from './allowed-gaps.ts';
import { brokenDrains } from './drain-excuses.ts';
import type { Disturbance, Drain } from './driver.ts';
import { unexcusedRunners } from './duplicate-runners.ts';
import type { Timing } from './excuses.ts';
import { brokenFacts, type StoredFact } from './facts.ts';
import type { Told } from './lies/lie-book.ts';
import type { Sight } from './machine/witness.ts';

/** What the simulator and the provider wrote down, and what was done to the system. */
export interface Evidence {
  jobs: readonly JobRecord[];
  /** Ids of jobs whose runner was made to die. */
  crashing: ReadonlySet<string>;
  /** Names of runners whose registration GitHub was made to drop. */
  dropped: ReadonlySet<string>;
  books: Books;
  /** What providers said that was not so. */
  told: readonly Told[];
  /** Instances that the provider still has, by its files. */
  instances: number;
  /** Records of runners: that one is there proves a leftover, that none is there proves nothing. */
  records: number;
  journal: readonly JournalEntry[];
  disturbances: readonly Disturbance[];
  /** The listeners that there are. */
  listeners: readonly string[];
  /** What JetStream has about jobs: it is compared with the simulator's books, and proves nothing else. */
  facts: readonly StoredFact[];
  drains: readonly Drain[];
  /** What a process that is no part of the system saw of the machine. */
  sights: readonly Sight[];
  /** When the books were closed, wall clock in ms. */
  endMs: number;
  /** What was still to be done then, though there was time for all. */
  unrest: string | undefined;
  /** What processes did that nobody told them to do. */
  endedByThemselves: readonly string[];
}

export interface Verdict {
  jobs: number;
  completed: number;
  /** Jobs whose runner was made to die. */
  killedByChaos: number;
  /** All others that did not complete: `jobs` is the sum of these three. */
  lost: number;
  /** Runners that came online and got no job. */
  unusedRunners: number;
  /** Those of them that nothing excuses: see `unexcusedRunners`. */
  duplicateRunners: number;
  /** Jobs that failed because their runner went, though nobody had asked for that. */
  busyKilled: number;
  leftoverInstances: number;
  leftoverRegistrations: number;
  leftoverRecords: number;
  maxSessionGapMs: number;
  /** Gaps that only the slowness of the machine excuses: times count where there are none. */
  slowGaps: number;
  promisesBroken: string[];
}

/** More polls of one session than this that push each other away, within `pushingMs`, are two pollers. */
const pushedAway = 8;
const pushingMs = 5_000;

/** Judges a run; Baton's own records never speak for it. Pure. */
export function check(evidence: Evidence, timing: Timing): Verdict {
  const { jobs, crashing, books, instances, records, journal, endMs } = evidence;
  const completed = jobs.filter(({ status }) => status === 'completed').length;
  const failed = jobs.filter(({ status }) => status === 'failed');
  const killedByChaos = failed.filter(({ id }) => crashing.has(id)).length;
  const gaps = pollGaps(journal);
  const broken = brokenGaps(gaps, evidence, timing);
  const strictly = brokenGaps(gaps, { ...evidence, sights: [] }, timing);
  const counts = {
    jobs: jobs.length,
    completed,
    killedByChaos,
    lost: jobs.length - completed - killedByChaos,
    unusedRunners: books.duplicateRunners,
    duplicateRunners: unexcusedRunners(books.unusedRunners, evidence).length,
    busyKilled: failed.length - killedByChaos,
    leftoverInstances: instances,
    leftoverRegistrations: books.registrations.length,
    leftoverRecords: records,
    maxSessionGapMs: Math.max(0, ...gaps.map(({ fromMs, toMs = endMs }) => toMs - fromMs)),
    slowGaps: strictly.length - broken.length,
  };
  const promisesBroken = [
    ...brokenCounts(counts, evidence),
    ...broken.map((one) => gapText(one, endMs)),
    ...brokenFacts(evidence),
    ...brokenDrains(evidence.drains, evidence.disturbances).map(({ name, exitCode, fromMs }) => {
      return `${name} was told to end at ${isoTime(fromMs)} and ended with exit code ${exitCode}`;
    }),
    ...rivals(journal).map((scaleSet) => `${scaleSet} was polled by two at a time`),
    ...evidence.endedByThemselves,
    ...(evidence.unrest === undefined ? [] : [`it did not come to rest: ${evidence.unrest}`]),
  ];
  return { ...counts, promisesBroken };
}

function gapText({ gap, allowedUntilMs, excuses }: BrokenGap, endMs: number): string {
  const { scaleSet, fromMs, toMs = endMs, before = 'nobody', after = 'nobody' } = gap;
  const last = excuses.slice(-3).map(({ why }) => why);
  return (
    `${scaleSet} was not polled for ${toMs - fromMs} ms from ${isoTime(fromMs)} ` +
    `(by ${before}, then ${after}), ${toMs - allowedUntilMs} ms longer than what was done allows` +
    ` (${last.join('; ') || 'nothing was done to it'})`
  );
}

function brokenCounts(
  counts: Omit<Verdict, 'promisesBroken'>,
  { jobs, crashing }: Evidence,
): string[] {
  const open = jobs.filter(({ status }) => status !== 'completed');
  const lost = open.filter(({ id, status }) => !(status === 'failed' && crashing.has(id)));
  const names = lost.map(
    ({ id, status, scaleSet }) => `${id} of ${scaleSet ?? 'no set'} ${status}`,
  );
  const broken = [
    { count: counts.lost, text: `jobs lost: ${names.slice(0, 5).join(', ')}` },
    { count: counts.duplicateRunners, text: 'runners too many came online' },
    { count: counts.busyKilled, text: 'busy runners were killed' },
    { count: counts.leftoverInstances, text: 'instances are left over' },
    { count: counts.leftoverRegistrations, text: 'registrations are left over' },
    { count: counts.leftoverRecords, text: 'records of runners are left over' },
  ];
  return broken.filter(({ count }) => count > 0).map(({ count, text }) => `${count} ${text}`);
}

/** Scale sets whose polls pushed each other away again and again. */
function rivals(journal: readonly JournalEntry[]): string[] {
  const times = new Map<string, number[]>();
  const found = new Set<string>();
  for (const { scaleSet, event, at } of journal) {
    if (event !== 'superseded') continue;
    const recent = [...(times.get(scaleSet) ?? []), at].filter((then) => then > at - pushingMs);
    times.set(scaleSet, recent);
    if (recent.length > pushedAway) found.add(scaleSet);
  }
  return [...found];
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
