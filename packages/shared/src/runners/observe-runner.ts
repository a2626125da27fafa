import { type Runner, runnerKey } from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import type { RunnerCopy, RunnerStore } from '../stores/index.ts';
import { Counter } from '../telemetry/index.ts';
import { type Clock, isoNow } from '../time/index.ts';
import type { Observation } from './observation.ts';
import { type Phase, phasesEnded } from './runner-phases.ts';
import { recordPhase } from './runner-trace.ts';
import { type Transition, transition } from './transition.ts';

/** A record that many write at once is tried this often. */
const maxAttempts = 20;

export interface Observed {
  runner: Runner;
  revision: number;
  /** Whether the state changed by this call. */
  moved: boolean;
  /** Whether the record was written by this call. */
  written: boolean;
}

/** A record as it was and as it is since a write of this process. */
export interface RunnerChange {
  before: Runner;
  after: Runner;
  /** The phases of its life that ended with it. */
  phases: readonly Phase[];
}

export type ObservationCounter = Counter<'observation' | 'result'>;

/** Counts observations by what became of them; many that are refused say that something is told twice. */
export function observationCounter(): ObservationCounter {
  return new Counter({
    name: 'baton_runner_observations_total',
    help: 'Observations of runners, by whether they moved the runner, were recorded or refused.',
  });
}

interface ObserveDeps {
  runners: RunnerStore;
  /**
   * Spares a read: what it holds is tried first, however old. The write proves that it is the record, or
   * the record is read; and nothing is refused because of it.
   */
  copy?: RunnerCopy;
  clock: Clock;
  observations?: ObservationCounter | undefined;
  /** Told of every observation that was written. */
  onChange?: ((change: RunnerChange) => void) | undefined;
  /** Refuses the observation where the record is not any more what the decision was about. */
  onlyIf?: ((found: Runner) => boolean) | undefined;
}

/**
 * Applies an observation to a runner's record by compare-and-set, reading again when somebody else
 * was first, and tells of the phases of its life that end with it. Safe to repeat. Undefined when there
 * is no record.
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
    const result = judge(deps, entry.value, observation);
    if (result.kind === 'refused') {
      if (entry === copied) continue;
      count(deps, observation, result);
      return { runner: entry.value, revision: entry.revision, moved: false, written: false };
    }
    const revision = await deps.runners.update(key, result.runner, entry.revision);
    if (revision !== undefined) {
      count(deps, observation, result);
      tell(deps, [entry.value, result.runner], observation);
      return { runner: result.runner, revision, moved: result.kind === 'moved', written: true };
    }
  }
  throw new AppError('conflict', `runner ${key} is written by others all the time`, {
    retryable: true,
  });
}

function tell(
  { onChange }: ObserveDeps,
  [before, after]: readonly [Runner, Runner],
  observation: Observation,
): void {
  const phases = phasesEnded(before, after, 'facts' in observation ? observation.facts : {});
  for (const phase of phases) recordPhase(after, phase);
  onChange?.({ before, after, phases });
}

function judge(
  { onlyIf, clock }: ObserveDeps,
  found: Runner,
  observation: Observation,
): Transition {
  if (onlyIf && !onlyIf(found)) return { kind: 'refused' };
  return transition(found, observation, isoNow(clock));
}

function count({ observations }: ObserveDeps, { kind }: Observation, result: Transition): void {
  observations?.add({ observation: kind, result: result.kind });
}
