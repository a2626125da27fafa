import type { Deletion, Runner } from '@baton/shared/contracts';
import { tries } from './runner-deletion.ts';

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
  /** Where its provider is of one host. */
  hostId: string | null;
  githubRunnerId: number | null;
  provider: string;
  generation: string;
  /** Why it failed, why it must go, why its creation waits, or what keeps it from coming up. */
  reason: string | null;
  /** Of a runner that failed, in one word: `quota`, `image`, `timeout`. */
  failureClass: string | null;
  failureText: string | null;
  /** When its creation, or its deletion, is tried again; null while it is not put off. */
  retryAt: string | null;
  /** How often its creation was put off so far. */
  postponedCount: number;
  /** How far its creation is, or what keeps it from coming up; null in any other state. */
  progress: string | null;
  /** Why it must go, who says so and behind which gate; null when it need not. */
  mark: { reason: string; gate: string; by: string; at: string } | null;
  /** How far its deletion is; null before it has begun. */
  deletion: { attempts: number; deregistered: boolean; instanceDeleted: boolean } | null;
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
    hostId: runner.hostId ?? null,
    githubRunnerId: runner.githubRunnerId ?? null,
    provider: runner.provider,
    generation: runner.generation,
    reason: reasonOf(runner) ?? null,
    failureClass: runner.failure?.class ?? null,
    failureText: runner.failure?.text ?? null,
    retryAt: retryAtOf(runner) ?? null,
    postponedCount: runner.postponed?.count ?? 0,
    progress: progressOf(runner) ?? null,
    ...endingOf(runner),
  };
}

function endingOf({ mark, deletion }: Runner): Pick<RunnerView, 'mark' | 'deletion'> {
  return {
    mark: mark ? { reason: mark.reason, gate: mark.gate, by: mark.by, at: mark.at } : null,
    deletion: deletion ? progressOfDeletion(deletion) : null,
  };
}

function progressOfDeletion({ attempts, deregistered, instanceDeleted }: Deletion) {
  return { attempts, deregistered, instanceDeleted };
}

/** A time of an earlier state says nothing any more. */
function retryAtOf({ state, retryAt, deletion }: Runner): string | undefined {
  return state === 'requested' ? retryAt : deletion?.retryAt;
}

function progressOf({ state, progress }: Runner): string | undefined {
  return state === 'creating' || state === 'starting' ? progress : undefined;
}

function reasonOf(runner: Runner): string | undefined {
  const { deletion, failure, mark, state, postponed } = runner;
  if (deletion?.lastError) {
    const text = `${deletion.lastError} (tried ${tries(deletion.attempts)})`;
    return mark ? `${mark.reason}: ${text}` : text;
  }
  if (state === 'requested') return postponed?.reason;
  if (failure) return `${failure.class}: ${failure.text}`;
  if (!mark) return progressOf(runner);
  return mark.text === undefined ? mark.reason : `${mark.reason}: ${mark.text}`;
}
