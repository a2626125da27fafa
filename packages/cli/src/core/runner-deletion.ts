import type { Runner } from '@baton/shared/contracts';
import { findNearest } from './nearest.ts';

/** What somebody wants to happen to a runner. */
export interface DeleteWish {
  force: boolean;
  hostGone: boolean;
}

export type FoundRunner = { kind: 'found'; runner: Runner } | { kind: 'refused'; text: string };

/** The one runner with this name or id; or why there is not exactly one. Pure. */
export function chooseRunner(
  nameOrId: string,
  runners: readonly Runner[],
  scaleSetNames: ReadonlyMap<string, string>,
): FoundRunner {
  const found = runners.filter(({ name, runnerId }) => name === nameOrId || runnerId === nameOrId);
  const [runner, another] = found;
  if (runner && !another) return { kind: 'found', runner };
  if (!runner) return { kind: 'refused', text: unknownText(nameOrId, runners) };
  const names = found.map(({ scaleSetId }) => scaleSetNames.get(scaleSetId) ?? scaleSetId);
  const text = `"${nameOrId}" is a runner of ${names.join(' and of ')}: say which with --scale-set`;
  return { kind: 'refused', text };
}

function unknownText(nameOrId: string, runners: readonly Runner[]): string {
  const candidates = runners.flatMap(({ name, runnerId }) => [name, runnerId]);
  const near = findNearest(nameOrId, candidates).map((candidate) => `"${candidate}"`);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'see "baton get runners"';
  return `there is no runner "${nameOrId}": ${hint}`;
}

/** What will happen, before it does, for people. Pure. */
export function deletionText(runner: Runner, { force, hostGone }: DeleteWish): string {
  const { name, state, job } = runner;
  const who = job ? `${name} is ${state} with job ${job.jobId}` : `${name} is ${state}`;
  if (hostGone) {
    return `${who}: it is forgotten, and nobody is asked to delete its instance; one that is there after all comes back without a record`;
  }
  if (force) return `${who}: its instance is deleted at once, and a job on it fails`;
  if (isGateOpen(runner)) return `${who}: its instance is deleted at once`;
  return `${who}: it goes when GitHub lets it go; one that runs a job stays (--force ends the job)`;
}

function isGateOpen({ mark, exit }: Runner): boolean {
  return mark?.gate === 'none' || exit !== undefined;
}

export type DeletionProgress =
  /** No janitor has heard of it yet. */
  | { kind: 'asked'; text: string }
  | { kind: 'deleting'; text: string }
  | { kind: 'kept'; text: string }
  | { kind: 'deleted' };

/** How far the deletion is that was asked for at `askedAt`. Pure. */
export function deletionProgress(runner: Runner | undefined, askedAt: string): DeletionProgress {
  if (!runner) return { kind: 'deleted' };
  const { mark, kept, deletion } = runner;
  if (kept?.markedAt === askedAt) return { kind: 'kept', text: kept.text };
  if (mark?.at !== askedAt) {
    return { kind: 'asked', text: 'no janitor has taken it up yet: is one running?' };
  }
  const steps = [
    deletion?.instanceDeleted ? 'instance deleted' : undefined,
    deletion?.deregistered ? 'GitHub has let it go' : undefined,
    deletion?.lastError && `${deletion.lastError} (tried ${tries(deletion.attempts)})`,
  ].filter(Boolean);
  return { kind: 'deleting', text: steps.join(', ') || 'a janitor is at it' };
}

/** A number of attempts in words. */
export function tries(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
