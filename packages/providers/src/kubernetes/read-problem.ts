import type { InstanceProblem } from '../provider.ts';
import type { ProviderErrorClass } from '../provider-error.ts';
import type { ContainerStatus, Pod, PodStatus } from './api-schemas.ts';
import { secretName } from './build-pod.ts';

/**
 * What keeps the pod's runner from running, or made it end other than by itself; undefined where there
 * is nothing to say. The texts are Kubernetes' own, behind its word for the reason. Pure.
 */
export function readProblem(
  pod: Pod,
  runner: ContainerStatus | undefined,
  nowMs: number,
): InstanceProblem | undefined {
  const { status } = pod;
  if (!status) return undefined;
  const ended = runner?.state?.terminated;
  if (ended && !status.reason) return endedProblem(ended) ?? disruption(status);
  if (status.phase === 'Failed' || ended) return failedProblem(pod, status);
  const running = runner?.state?.running;
  return (
    disruption(status) ??
    deletion(pod) ??
    (running ? undefined : (waitingProblem(pod, nowMs) ?? unscheduled(status)))
  );
}

interface Said {
  reason?: string | null | undefined;
  message?: string | null | undefined;
}

const endReasons: Record<string, ProviderErrorClass> = {
  // The runner's memory ran out: the next job may need less, so the settings are not at fault.
  OOMKilled: 'transient',
  ContainerCannotRun: 'invalid-settings',
  StartError: 'invalid-settings',
};

/** Reasons of pods that ended as a whole, `status.reason`. What is not listed may pass. */
const failedReasons: Record<string, ProviderErrorClass> = {
  DeadlineExceeded: 'invalid-settings',
  NodeAffinity: 'quota',
  OutOfcpu: 'quota',
  OutOfmemory: 'quota',
  OutOfpods: 'quota',
  Preempting: 'quota',
};

/** Reasons of containers that wait. What is not listed (`ContainerCreating`) is no problem. */
const waitingReasons: Record<string, ProviderErrorClass> = {
  CreateContainerConfigError: 'invalid-settings',
  CreateContainerError: 'invalid-settings',
  ErrImageNeverPull: 'image',
  ErrImagePull: 'image',
  ImageInspectError: 'image',
  ImagePullBackOff: 'image',
  InvalidImageName: 'image',
  RegistryUnavailable: 'image',
  RunContainerError: 'invalid-settings',
};

function endedProblem(ended: Said): InstanceProblem | undefined {
  const errorClass = endReasons[ended.reason ?? ''];
  return errorClass && problem(errorClass, ended);
}

function failedProblem(pod: Pod, status: PodStatus): InstanceProblem {
  if (status.reason) return problem(failedReasons[status.reason] ?? 'transient', status);
  const disrupted = disruption(status) ?? deletion(pod);
  if (disrupted) return disrupted;
  const init = status.initContainerStatuses?.find(({ state }) => state?.terminated?.exitCode);
  const code = init?.state?.terminated?.exitCode;
  if (init) return { class: 'transient', text: `init container ${init.name} ended with ${code}` };
  return problem('transient', { reason: 'the pod failed', message: status.message });
}

/** Kubernetes from 1.26 on says who ends a pod: an eviction, the scheduler, the node. */
function disruption({ conditions }: PodStatus): InstanceProblem | undefined {
  const found = conditions?.find(
    ({ type, status }) => type === 'DisruptionTarget' && status === 'True',
  );
  if (!found) return undefined;
  return problem(found.reason === 'PreemptionByScheduler' ? 'quota' : 'transient', found);
}

function deletion({ metadata }: Pod): InstanceProblem | undefined {
  if (!metadata.deletionTimestamp) return undefined;
  // That time is the end of its grace period, not the moment of the delete.
  return {
    class: 'transient',
    text: `the pod is being deleted, by ${metadata.deletionTimestamp}`,
  };
}

/** A pod waits for its Secret for this long before that is taken for lost, in ms. */
const secretPatienceMs = 60_000;

function waitingProblem(pod: Pod, nowMs: number): InstanceProblem | undefined {
  const { initContainerStatuses, containerStatuses } = pod.status ?? {};
  const waiting = [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])]
    .map(({ state }) => state?.waiting)
    .find((state) => state?.reason && state.reason in waitingReasons);
  if (!waiting) return undefined;
  const { name, creationTimestamp } = pod.metadata;
  // Made a moment after the pod: late is normal, but it does not come when its maker has died.
  if (waiting.message?.includes(secretName(name)) && waiting.message.includes('not found')) {
    const isLost = nowMs - Date.parse(creationTimestamp) > secretPatienceMs;
    return problem(isLost ? 'not-found' : 'transient', waiting);
  }
  return problem(waitingReasons[waiting.reason ?? ''] ?? 'transient', waiting);
}

function unscheduled({ conditions }: PodStatus): InstanceProblem | undefined {
  const found = conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  return found?.reason === 'Unschedulable' ? problem('quota', found) : undefined;
}

function problem(errorClass: ProviderErrorClass, { reason, message }: Said): InstanceProblem {
  const text = [reason, message].filter(Boolean).join(': ');
  return { class: errorClass, text };
}
