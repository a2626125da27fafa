import type { CreateRequest } from '../provider.ts';
import { addContainerMode } from './container-mode.ts';
import type { KubernetesDefinition } from './definition.ts';
import { mergeSpec } from './merge-spec.ts';
import { podName } from './pod-name.ts';
import type { Settings } from './settings.ts';
import { podAnnotations, podLabels, protectingAnnotations, secretLabels } from './tags.ts';
import { type PodSpec, runnerContainerName } from './template.ts';

export interface PodManifest {
  apiVersion: 'v1';
  kind: 'Pod';
  metadata: {
    name: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
  };
  spec: PodSpec;
}

interface BuildOptions {
  definition: KubernetesDefinition;
  settings: Settings;
  request: CreateRequest;
  hasSidecars: boolean;
}

/** The pod of a runner: defaults, operator's template, scale set's template, container mode. Pure. */
export function buildPod({
  definition,
  settings,
  request,
  hasSidecars,
}: BuildOptions): PodManifest {
  const { podTemplate, dindImage } = definition;
  const { template, containerMode } = settings;
  const name = podName(request);
  const templated = mergeSpec(
    mergeSpec(defaultSpec(definition), podTemplate.spec ?? {}),
    template.spec ?? {},
  );
  const complete = addContainerMode(templated, containerMode, { dindImage, hasSidecars });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: {
        ...podTemplate.metadata?.labels,
        ...template.metadata?.labels,
        ...podLabels(request),
      },
      annotations: {
        ...protectingAnnotations,
        ...podTemplate.metadata?.annotations,
        ...template.metadata?.annotations,
        ...podAnnotations(request),
      },
    },
    spec: withoutNeedlessToken(mergeSpec(complete, ownSpec(name))),
  };
}

function defaultSpec({ serviceAccountName }: KubernetesDefinition): PodSpec {
  return {
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    containers: [
      {
        name: runnerContainerName,
        image: 'ghcr.io/actions/actions-runner:latest',
        command: ['/home/runner/run.sh'],
      },
    ],
  };
}

const jitConfigKey = 'jitconfig';
const jitVariable = 'ACTIONS_RUNNER_INPUT_JITCONFIG';

/** What no template may change: a JIT config is used once, and stands in the Secret alone. */
function ownSpec(pod: string): PodSpec {
  const secretKeyRef = { name: secretName(pod), key: jitConfigKey };
  return {
    restartPolicy: 'Never',
    containers: [
      { name: runnerContainerName, env: [{ name: jitVariable, valueFrom: { secretKeyRef } }] },
    ],
  };
}

/** Jobs get no token of the cluster that nobody asked for. */
function withoutNeedlessToken(spec: PodSpec): PodSpec {
  if (spec.serviceAccountName !== undefined || spec.automountServiceAccountToken !== undefined)
    return spec;
  return { ...spec, automountServiceAccountToken: false };
}

export function secretName(pod: string): string {
  return `${pod}-jit`;
}

/** Owned by the pod: the cluster deletes it with the pod, whoever deletes that. */
export function buildSecret(
  pod: { name: string; uid: string },
  { installationId, jitConfig }: CreateRequest,
): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: secretName(pod.name),
      labels: secretLabels(installationId, pod.name),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }],
    },
    immutable: true,
    data: { [jitConfigKey]: Buffer.from(jitConfig.reveal()).toString('base64') },
  };
}
