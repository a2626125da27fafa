import type { Instance, InstanceProblem } from '../provider.ts';
import type { ContainerStatus, Pod } from './api-schemas.ts';
import { readProblem } from './read-problem.ts';
import { keys } from './tags.ts';
import { runnerContainerName } from './template.ts';

/** The pod as an instance; undefined for one that lacks our tags. Pure. */
export function readInstance(pod: Pod, nowMs: number): Instance | undefined {
  const { name, creationTimestamp, annotations } = pod.metadata;
  const runnerId = annotations?.[keys.runner];
  const runnerName = annotations?.[keys.runnerName];
  const scaleSetId = annotations?.[keys.scaleSet];
  const generation = annotations?.[keys.generation];
  if (!runnerId || !runnerName || !scaleSetId || generation === undefined) return undefined;
  const runner = statusOf(pod, runnerContainerName);
  return {
    instanceId: name,
    runnerId,
    runnerName,
    scaleSetId,
    generation,
    createdAt: iso(creationTimestamp) ?? new Date(0).toISOString(),
    ...readState(pod, runner),
    ...withProblem(readProblem(pod, runner, nowMs)),
  };
}

/**
 * The runner's container decides: a pod whose Docker sidecar still runs is `Running` for Kubernetes,
 * and has ended for us. A pod that failed before its containers ran has ended too.
 */
function readState(
  { status }: Pod,
  runner: ContainerStatus | undefined,
): Pick<Instance, 'state' | 'exitCode' | 'exitedAt'> {
  const ended = runner?.state?.terminated;
  const exitedAt = iso(ended?.finishedAt);
  if (ended)
    return { state: 'exited', exitCode: ended.exitCode, ...(exitedAt ? { exitedAt } : {}) };
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return { state: 'exited' };
  return { state: runner?.state?.running ? 'running' : 'starting' };
}

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container);
}

function withProblem(problem: InstanceProblem | undefined): { problem?: InstanceProblem } {
  return problem ? { problem } : {};
}

/** With milliseconds, as all our times; undefined where there is none. */
function iso(time: string | null | undefined): string | undefined {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
