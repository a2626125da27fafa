import type { Books, JobRecord, JournalEntry } from '@baton/github-sim';

type UnusedRunner = Books['unusedRunners'][number];

/** A replacement that was decided on comes online this much later at the latest, in ms. */
const createdLateMs = 30_000;
/** From the last poll that failed, with its back-off, to the message that was held back and a runner, in ms. */
const heldBackMs = 45_000;
/** From the call for a session to the backlog and a runner, in ms. */
const backlogMs = 5_000;

interface RunnersEvidence {
  jobs: readonly JobRecord[];
  crashing: ReadonlySet<string>;
  journal: readonly JournalEntry[];
}

/**
 * Runners that came online for nothing. GitHub goes on counting a job as assigned until it misses the
 * runner that was made to die under it, so that runner is replaced: each such job excuses one runner of
 * its own scale set, which came online between the job's begin and GitHub's word that it is over.
 *
 * Not promised (docs/delivery-and-recovery.md) is that messages which come late call for nobody: those
 * that were held back by polls of the scale set that failed, and the backlog of a session. Pure.
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
    .filter((runner) => !messagesCameLate(runner, journal))
    .filter((runner) => {
      const job = [...left].find((candidate) => excuses(candidate, runner));
      if (job) left.delete(job);
      return !job;
    });
}

function messagesCameLate({ scaleSet, onlineAt }: UnusedRunner, journal: readonly JournalEntry[]) {
  return journal.some(({ scaleSet: other, event, route, at }) => {
    if (other !== scaleSet || at > onlineAt) return false;
    if (event === 'asked') return at >= onlineAt - backlogMs;
    return event === 'spoiled' && route === 'getMessage' && at >= onlineAt - heldBackMs;
  });
}

function excuses({ scaleSet, startedAt, completedAt }: JobRecord, runner: UnusedRunner): boolean {
  if (scaleSet !== runner.scaleSet || startedAt === null || completedAt === null) return false;
  return runner.onlineAt >= startedAt && runner.onlineAt <= completedAt + createdLateMs;
}
