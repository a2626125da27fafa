import type { Runner } from '@baton/shared/contracts';

/** One element of `baton get runners -o json`. Fields are only ever added. */
export interface RunnerView {
  name: string;
  runnerId: string;
  scaleSetId: string;
  /** The scale set's name; null when its spec is gone. */
  scaleSet: string | null;
  state: string;
  stateAt: string;
  createdAt: string;
  jobId: string | null;
  instanceId: string | null;
  githubRunnerId: number | null;
  provider: string;
  generation: string;
  /** Why it failed, why it must go, or what keeps it from coming up. */
  reason: string | null;
}

export function runnerView(runner: Runner, scaleSet: string | undefined): RunnerView {
  return {
    name: runner.name,
    runnerId: runner.runnerId,
    scaleSetId: runner.scaleSetId,
    scaleSet: scaleSet ?? null,
    state: runner.state,
    stateAt: runner.stateAt,
    createdAt: runner.createdAt,
    jobId: runner.job?.jobId ?? null,
    instanceId: runner.instanceId ?? null,
    githubRunnerId: runner.githubRunnerId ?? null,
    provider: runner.provider,
    generation: runner.generation,
    reason: reasonOf(runner) ?? null,
  };
}

function reasonOf({ deletion, failure, mark, progress }: Runner): string | undefined {
  if (deletion?.lastError) return deletion.lastError;
  if (failure) return `${failure.class}: ${failure.text}`;
  if (!mark) return progress;
  return mark.text === undefined ? mark.reason : `${mark.reason}: ${mark.text}`;
}
