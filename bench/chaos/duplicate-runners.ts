import type { Books, JobRecord } from '@baton/github-sim';

type UnusedRunner = Books['unusedRunners'][number];

/** A replacement that was decided on comes online this much later at the latest, in ms. */
const createdLateMs = 30_000;

/**
 * Runners that came online for nothing. GitHub goes on counting a job as assigned until it misses the
 * runner that was made to die under it, so that runner is replaced: each such job excuses one runner of
 * its own scale set, which came online between the job's begin and GitHub's word that it is over. Pure.
 */
export function unexcusedRunners(
  runners: readonly UnusedRunner[],
  jobs: readonly JobRecord[],
  crashing: ReadonlySet<string>,
): UnusedRunner[] {
  const killed = jobs
    .filter(({ id, status }) => status === 'failed' && crashing.has(id))
    .toSorted((a, b) => (a.completedAt ?? 0) - (b.completedAt ?? 0));
  const left = new Set(killed);
  return runners
    .toSorted((a, b) => a.onlineAt - b.onlineAt)
    .filter((runner) => {
      const job = [...left].find((candidate) => excuses(candidate, runner));
      if (job) left.delete(job);
      return !job;
    });
}

function excuses({ scaleSet, startedAt, completedAt }: JobRecord, runner: UnusedRunner): boolean {
  if (scaleSet !== runner.scaleSet || startedAt === null || completedAt === null) return false;
  return runner.onlineAt >= startedAt && runner.onlineAt <= completedAt + createdLateMs;
}
