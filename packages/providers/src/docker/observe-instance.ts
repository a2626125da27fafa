import type { Instance, InstanceProblem } from '../provider.ts';
import type { ContainerSummary, Inspection } from './engine-schemas.ts';
import type { Tags } from './labels.ts';

/** One container of an instance. `inspection` is there unless it runs, or was gone by then. */
export interface SeenContainer {
  tags: Tags;
  summary: ContainerSummary;
  inspection: Inspection | undefined;
}

interface Surroundings {
  /** By the engine's clock. */
  nowMs: number;
  /** From the creation of a container to its start; then its creator is taken for dead. */
  startTimeoutMs: number;
}

type Observation = Pick<Instance, 'state' | 'exitCode' | 'exitedAt' | 'problem'>;

/** The instance that containers of one runner id are. */
export function observeInstance(
  containers: readonly [SeenContainer, ...SeenContainer[]],
  surroundings: Surroundings,
): Instance {
  const runner = containers.find(({ tags }) => tags.role === 'runner');
  const daemon = containers.find(({ tags }) => tags.role === 'docker');
  const { tags, summary } = runner ?? containers[0];
  const { runnerId, runnerName, scaleSetId, generation } = tags;
  return {
    instanceId: runnerId,
    runnerId,
    runnerName,
    scaleSetId,
    generation,
    createdAt: new Date(summary.Created * 1_000).toISOString(),
    ...observe(runner, daemon, surroundings),
  };
}

function observe(
  runner: SeenContainer | undefined,
  daemon: SeenContainer | undefined,
  { nowMs, startTimeoutMs }: Surroundings,
): Observation {
  // A crash in the middle of a create or a delete left the daemon alone.
  if (!runner) return { state: 'exited' };
  switch (runner.summary.State) {
    case 'running':
    case 'paused':
    case 'restarting':
      return { state: 'running', ...problemOf(daemon && daemonProblem(daemon)) };
    case 'created':
      return observeUnstarted(runner, nowMs - runner.summary.Created * 1_000 < startTimeoutMs);
    case 'removing':
    case 'exited':
    case 'dead':
      return observeEnd(runner.inspection);
  }
}

/**
 * A container is started by the one who made it and by nobody else: a start that comes twice would
 * run an exited one, and its used JIT config, again. So one that is not started in time never is.
 */
function observeUnstarted({ inspection }: SeenContainer, isYoung: boolean): Observation {
  const error = inspection?.State.Error;
  if (error) return { state: 'exited', ...problemOf({ class: 'image', text: `start: ${error}` }) };
  if (isYoung) return { state: 'starting' };
  const text = 'it was created but never started: its creator ended in between';
  return { state: 'exited', ...problemOf({ class: 'transient', text }) };
}

function observeEnd(inspection: Inspection | undefined): Observation {
  if (!inspection) return { state: 'exited' };
  const { ExitCode: exitCode, FinishedAt, StartedAt, OOMKilled, Error: error } = inspection.State;
  const wasStarted = !StartedAt.startsWith('0001-');
  const isEnded = !FinishedAt.startsWith('0001-');
  return {
    state: 'exited',
    ...(wasStarted && isEnded ? { exitCode, exitedAt: new Date(FinishedAt).toISOString() } : {}),
    ...problemOf(
      endProblem({ isOutOfMemory: OOMKilled, error, memory: inspection.HostConfig.Memory }),
    ),
  };
}

interface End {
  isOutOfMemory: boolean;
  error: string;
  /** Bytes; 0 for no limit. */
  memory: number;
}

function endProblem({ isOutOfMemory, error, memory }: End): InstanceProblem | undefined {
  if (isOutOfMemory) {
    const limit = memory > 0 ? ` (its limit is ${Math.round(memory / 2 ** 20)} MiB)` : '';
    return { class: 'quota', text: `a process of it was killed for want of memory${limit}` };
  }
  return error ? { class: 'transient', text: error } : undefined;
}

function daemonProblem({ summary }: SeenContainer): InstanceProblem | undefined {
  if (summary.State !== 'exited' && summary.State !== 'dead') return undefined;
  return { class: 'transient', text: 'the Docker daemon of this runner has ended' };
}

function problemOf(problem: InstanceProblem | undefined): { problem?: InstanceProblem } {
  return problem ? { problem } : {};
}
