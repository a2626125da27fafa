import type { Books, JobRecord, JournalEntry } from '@baton/github-sim';

type UnusedRunner = Books['unusedRunners'][number];

/** A replacement that was decided on comes online this much later at the latest, in ms. */
const createdLateMs = 30_000;
/** From the call for a session to its first poll, and from that poll to a runner, in ms. */
const firstPollMs = 2_000;
const runnerMs = 15_000;

interface RunnersEvidence {
  jobs: readonly JobRecord[];
  crashing: ReadonlySet<string>;
  journal: readonly JournalEntry[];
}

/**
 * Runners that came online for nothing. GitHub goes on counting a job as assigned until it misses the
 * runner that was made to die under it, so that runner is replaced: each such job excuses one runner of
 * its own scale set, which came online between the job's begin and GitHub's word that it is over. And a
 * first poll of a session that was made to be slow is taken for one that is held
 * (docs/delivery-and-recovery.md). Pure.
 */
export function unexcusedRunners(
  runners: readonly UnusedRunner[],
  { jobs, crashing, journal }: RunnersEvidence,
): UnusedRunner[] {
  const killed = jobs
    .filter(({ id, status }) => status === 'failed' && crashing.has(id))
    .toSorted((a, b) => (a.completedAt ?? 0) - (b.completedAt ?? 0));
  const left = new Set(killed);
  return runners
    .toSorted((a, b) => a.onlineAt - b.onlineAt)
    .filter((runner) => !firstPollWasSlow(runner, journal))
    .filter((runner) => {
      const job = [...left].find((candidate) => excuses(candidate, runner));
      if (job) left.delete(job);
      return !job;
    });
}

function firstPollWasSlow({ scaleSet, onlineAt }: UnusedRunner, journal: readonly JournalEntry[]) {
  const own = journal.filter((entry) => entry.scaleSet === scaleSet && entry.at <= onlineAt);
  return own.some(
    ({ event, route, fault, at }) =>
      event === 'spoiled' &&
      route === 'getMessage' &&
      fault?.kind === 'delay' &&
      at >= onlineAt - runnerMs &&
      own.some(
        (asked) => asked.event === 'asked' && asked.at <= at && asked.at >= at - firstPollMs,
      ),
  );
}

function excuses({ scaleSet, startedAt, completedAt }: JobRecord, runner: UnusedRunner): boolean {
  if (scaleSet !== runner.scaleSet || startedAt === null || completedAt === null) return false;
  return runner.onlineAt >= startedAt && runner.onlineAt <= completedAt + createdLateMs;
}
