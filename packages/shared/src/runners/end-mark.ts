import type { Mark, Runner } from '../contracts/index.ts';

/**
 * The mark of a runner that has ended: `completed`, `failed` or `lost`.
 *
 * Compute whose end was seen, or that never was, goes at once; for the rest GitHub is asked. A message
 * that the job is over is no end (it was seen to come while the job still ran), and an instance that
 * could not come up may have done so since: `mayHaveStarted` says so of a class of failures.
 */
export function endMark(
  { state, exit, completedIn, instanceId, failure }: Runner,
  mayHaveStarted: (failureClass: string) => boolean,
): Pick<Mark, 'reason' | 'gate'> {
  if (state === 'lost') return { reason: 'lost', gate: 'github' };
  const reason = state === 'completed' ? 'completed' : exit ? 'exited' : 'create-failed';
  if (exit) return { reason, gate: 'none' };
  const mayRun =
    completedIn !== undefined ||
    instanceId !== undefined ||
    (failure !== undefined && mayHaveStarted(failure.class));
  return { reason, gate: mayRun ? 'github' : 'none' };
}
