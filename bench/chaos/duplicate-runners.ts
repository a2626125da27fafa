import type { Books, JobRecord, JournalEntry } from '@baton/github-sim';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { pollGaps } from '../polls.ts';
import type { Disturbance } from './driver.ts';
import { type LiedAbout, runnersLiedAbout } from './lie-excuses.ts';
import type { Told } from './lies/lie-book.ts';

type UnusedRunner = Books['unusedRunners'][number];

/** So long a runner of a run may take to come online, in ms; then it is given up. */
export const bootstrapTimeoutMs = 60_000;
/** A replacement that was decided on comes online this much later at the latest, in ms. */
const createdLateMs = 30_000;
/** A scale set that is not polled for less than this has no late messages, in ms. */
const shortestGapMs = 1_000;
/** From the first poll after such a time to the last late message, and a runner, in ms. */
const backlogMs = 5_000;

interface RunnersEvidence {
  jobs: readonly JobRecord[];
  crashing: ReadonlySet<string>;
  dropped: ReadonlySet<string>;
  told: readonly Told[];
  journal: readonly JournalEntry[];
  disturbances: readonly Disturbance[];
}

/** A time after which messages about jobs of then may come late, wall clock in ms. */
interface LateTime {
  scaleSet: string;
  fromMs: number;
  toMs: number;
}

/**
 * Runners that came online for nothing. Each job and each lie excuses one runner of its own scale set at most:
 *
 * A job whose runner was made to die: GitHub goes on counting it as assigned until it misses the runner, so
 * that is replaced between the job's begin and GitHub's word that it is over.
 *
 * Not promised (docs/delivery-and-recovery.md) is that messages which come late call for nobody: a job that
 * was open while no message came may be told of when it is over.
 *
 * A runner that the provider lied about is replaced: it gets no job, or its replacement does not. A job too
 * many that GitHub counted calls for one. Pure.
 *
 * One whose registration GitHub dropped could have no job; nor could one, mostly, that came online when it had
 * been given up, as it took longer than runners may.
 */
export function unexcusedRunners(
  runners: readonly UnusedRunner[],
  { jobs, crashing, dropped, told, journal, disturbances }: RunnersEvidence,
): UnusedRunner[] {
  const lateTimes = lateTimesOf(journal, disturbances);
  const ofJobs = jobs
    .toSorted((a, b) => endOf(a) - endOf(b))
    .map((job) => (runner: UnusedRunner) => {
      if (job.scaleSet !== runner.scaleSet) return false;
      if (crashing.has(job.id) && callsForAnother(job, runner)) return true;
      return lateTimes.some((time) => isToldLate(job, time, runner));
    });
  const ofLies = runnersLiedAbout(told, disturbances).map(
    (lied) => (runner: UnusedRunner) => isReplacedFor(lied, runner),
  );
  const ofCounts = falselyCounted(journal, disturbances).map(
    (counted) => (runner: UnusedRunner) => isWithin(counted, runner),
  );
  const left = new Set([...ofLies, ...ofJobs, ...ofCounts]);
  return runners
    .filter(({ name }) => !dropped.has(name))
    .filter(({ registeredAt, onlineAt }) => onlineAt - registeredAt < bootstrapTimeoutMs)
    .toSorted((a, b) => a.onlineAt - b.onlineAt)
    .filter((runner) => {
      const excuse = [...left].find((excuses) => excuses(runner));
      if (excuse) left.delete(excuse);
      return !excuse;
    });
}

/** It was lied about itself, or came for one of its scale set that was. */
function isReplacedFor(lied: LiedAbout, { name, scaleSet, onlineAt }: UnusedRunner): boolean {
  if (lied.runnerName === name) return true;
  const isOfSet = lied.scaleSetId === scaleSetIdOf(scaleSet);
  return isOfSet && onlineAt >= lied.fromMs && onlineAt <= lied.toMs;
}

/** Each job too many that GitHub counted, until the first message that is heard after it. */
function falselyCounted(
  journal: readonly JournalEntry[],
  disturbances: readonly Disturbance[],
): LateTime[] {
  return disturbances.flatMap(({ step, fromMs, toMs }) => {
    if (step.kind !== 'fault' || step.fault.what !== 'false statistics') return [];
    const { scaleSet, more } = step.fault;
    if (more === 'none') return [];
    const time = { scaleSet, fromMs, toMs: deliveredAfter(toMs, scaleSet, journal) };
    return Array.from({ length: more }, () => time);
  });
}

function isWithin({ fromMs, toMs, ...of }: LateTime, { scaleSet, onlineAt }: UnusedRunner) {
  return of.scaleSet === scaleSet && onlineAt >= fromMs && onlineAt <= toMs + createdLateMs;
}

function callsForAnother(
  { status, startedAt, completedAt }: JobRecord,
  { onlineAt }: UnusedRunner,
): boolean {
  if (status !== 'failed' || startedAt === null || completedAt === null) return false;
  return onlineAt >= startedAt && onlineAt <= completedAt + createdLateMs;
}

function isToldLate(job: JobRecord, late: LateTime, { scaleSet, onlineAt }: UnusedRunner): boolean {
  const { fromMs, toMs } = late;
  if (late.scaleSet !== scaleSet || onlineAt < fromMs || onlineAt > toMs + backlogMs) return false;
  return job.queuedAt <= toMs && endOf(job) >= fromMs;
}

/**
 * While a scale set is not polled; while it is mute; and from the begin of new ids; to the first message that
 * is found then all the same.
 */
function lateTimesOf(
  journal: readonly JournalEntry[],
  disturbances: readonly Disturbance[],
): LateTime[] {
  const unpolled = pollGaps(journal)
    .map(({ scaleSet, fromMs, toMs = Number.POSITIVE_INFINITY }) => ({ scaleSet, fromMs, toMs }))
    .filter(({ fromMs, toMs }) => toMs - fromMs >= shortestGapMs);
  const unheard = disturbances.flatMap(({ step, fromMs, toMs }) => {
    if (step.kind !== 'fault') return [];
    const { fault } = step;
    if (fault.what !== 'restart ids' && fault.what !== 'mute') return [];
    const { scaleSet } = fault;
    return [{ scaleSet, fromMs, toMs: deliveredAfter(toMs, scaleSet, journal) }];
  });
  return [...unpolled, ...unheard];
}

/** When the first message came at or after this time. */
function deliveredAfter(ms: number, scaleSet: string, journal: readonly JournalEntry[]): number {
  const found = journal.find(
    (entry) => entry.event === 'delivered' && entry.scaleSet === scaleSet && entry.at >= ms,
  );
  return found?.at ?? Number.POSITIVE_INFINITY;
}

function endOf({ completedAt }: JobRecord): number {
  return completedAt ?? Number.POSITIVE_INFINITY;
}
