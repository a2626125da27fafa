import { type Runner, runnerKey } from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import type { RunnerCopy, RunnerStore } from '../stores/index.ts';
import { type Clock, isoNow } from '../time/index.ts';
import { type Observation, transition } from './transition.ts';

/** A record that many write at once is tried this often. */
const maxAttempts = 20;

export interface Observed {
  runner: Runner;
  revision: number;
  /** Whether the state changed by this call. */
  moved: boolean;
}

interface ObserveDeps {
  runners: RunnerStore;
  /**
   * Spares a read: what it holds is tried first, however old. The write proves that it is the record, or
   * the record is read; and nothing is refused because of it.
   */
  copy?: RunnerCopy;
  clock: Clock;
}

/**
 * Applies an observation to a runner's record by compare-and-set, reading again when somebody else
 * was first. Safe to repeat. Undefined when there is no record.
 */
export async function observeRunner(
  deps: ObserveDeps,
  runner: { scaleSetId: string; runnerId: string },
  observation: Observation,
): Promise<Observed | undefined> {
  const key = runnerKey(runner.scaleSetId, runner.runnerId);
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const copied = attempt === 0 ? deps.copy?.lookup(key) : undefined;
    const entry = copied?.kind === 'found' ? copied : await deps.runners.get(key);
    if (!entry) return undefined;
    const result = transition(entry.value, observation, isoNow(deps.clock));
    if (result.kind === 'refused') {
      if (entry === copied) continue;
      return { runner: entry.value, revision: entry.revision, moved: false };
    }
    const revision = await deps.runners.update(key, result.runner, entry.revision);
    if (revision !== undefined) {
      return { runner: result.runner, revision, moved: result.kind === 'moved' };
    }
  }
  throw new AppError('conflict', `runner ${key} is written by others all the time`, {
    retryable: true,
  });
}
