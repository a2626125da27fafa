import type { Books, JobRecord, JournalEntry } from '@baton/github-sim';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { pollGaps } from '../polls.ts';
import type { Disturbance } from './driver.ts';
import { type LiedAbout, runnersLiedAbout } from './lie-excuses.ts';
import type { Told } from './lies/lie-book.ts';

type UnusedRunner = Books['unusedRunners'][number];

/** A replacement that was decided on comes online this much later at the latest, in ms. */
const createdLateMs = 30_000;
/** A scale set that is not polled for less than this has no late messages, in ms. */
const shortestGapMs = 1_000;
/** From the first poll after such a time to the last late message, and a runner, in ms. */
const backlogMs = 5_000;

interface RunnersEvidence {
  jobs: readonly JobRecord[];
  crashing: ReadonlySet<string>;
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
 * A runner that the provider lied about is replaced: it gets no job, or its replacement does not. Pure.
 */
export function unexcusedRunners(
  runners: readonly UnusedRunner[],
  { jobs, crashing, told, journal, disturbances }: RunnersEvidence,
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
  const left = new Set([...ofLies, ...ofJobs]);
  return runners
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

/** While a scale set is not polled; and from the begin of new ids to the first message that is found all the same. */
function lateTimesOf(
  journal: readonly JournalEntry[],
  disturbances: readonly Disturbance[],
): LateTime[] {
  const unpolled = pollGaps(journal)
    .map(({ scaleSet, fromMs, toMs = Number.POSITIVE_INFINITY }) => ({ scaleSet, fromMs, toMs }))
    .filter(({ fromMs, toMs }) => toMs - fromMs >= shortestGapMs);
  const restarted = disturbances.flatMap(({ step, fromMs }) => {
    if (step.kind !== 'fault' || step.fault.what !== 'restart ids') return [];
    const { scaleSet } = step.fault;
    const found = journal.find(
      (entry) => entry.event === 'delivered' && entry.scaleSet === scaleSet && entry.at >= fromMs,
    );
    return [{ scaleSet, fromMs, toMs: found?.at ?? Number.POSITIVE_INFINITY }];
  });
  return [...unpolled, ...restarted];
}

function endOf({ completedAt }: JobRecord): number {
  return completedAt ?? Number.POSITIVE_INFINITY;
}
