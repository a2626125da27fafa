import { mergeSpec } from './merge-spec.ts';
import type { ContainerMode } from './settings.ts';
import { type Container, type PodSpec, runnerContainerName } from './template.ts';

interface ModeOptions {
  dindImage: string;
  /** Whether the cluster knows init containers that keep running. */
  hasSidecars: boolean;
}

/**
 * Adds what a container mode needs to a pod that has its runner container. What the pod has already,
 * by name, stays: whoever brings a `work` volume or a variable of their own keeps it. Pure.
 */
export function addContainerMode(
  spec: PodSpec,
  mode: ContainerMode,
  options: ModeOptions,
): PodSpec {
  switch (mode.type) {
    case 'none':
      return spec;
    case 'dind':
      return putUnder(spec, dind(runnerOf(spec), options));
    case 'kubernetes':
      return putUnder(spec, kubernetes(mode));
    case 'kubernetes-novolume':
      return putUnder(spec, kubernetesWithoutVolume(runnerOf(spec)));
  }
}

/** The order of containers and volumes is the template's; what it lacks comes behind. */
function putUnder(spec: PodSpec, addition: PodSpec): PodSpec {
  return mergeSpec(mergeSpec(spec, addition), spec);
}

function runnerOf({ containers = [] }: PodSpec): Container | undefined {
  return containers.find(({ name }) => name === runnerContainerName);
}

const work = { name: 'work', mountPath: '/home/runner/_work' };
const dockerSocket = { name: 'dind-sock', mountPath: '/var/run' };
const dockerGroup = '123';

/**
 * Docker in a privileged container beside the runner, with the runner's tools and work folder at the
 * same paths, so that a job's mounts mean the same in both.
 */
function dind(runner: Container | undefined, { dindImage, hasSidecars }: ModeOptions): PodSpec {
  const externals = { name: 'dind-externals' };
  const copy: Container = {
    name: 'init-dind-externals',
    ...(runner?.image === undefined ? {} : { image: runner.image }),
    command: ['cp', '-r', '/home/runner/externals/.', '/home/runner/tmpDir/'],
    volumeMounts: [{ ...externals, mountPath: '/home/runner/tmpDir' }],
  };
  const docker: Container = {
    name: 'dind',
    image: dindImage,
    args: ['dockerd', '--host=unix:///var/run/docker.sock', '--group=$(DOCKER_GROUP_GID)'],
    env: [{ name: 'DOCKER_GROUP_GID', value: dockerGroup }],
    securityContext: { privileged: true },
    volumeMounts: [work, dockerSocket, { ...externals, mountPath: '/home/runner/externals' }],
  };
  const sidecar: Container = { ...docker, restartPolicy: 'Always', startupProbe: dockerAnswers };
  return {
    containers: [
      {
        name: runnerContainerName,
        env: [
          { name: 'DOCKER_HOST', value: 'unix:///var/run/docker.sock' },
          { name: 'RUNNER_WAIT_FOR_DOCKER_IN_SECONDS', value: '120' },
        ],
        volumeMounts: [work, dockerSocket],
      },
      ...(hasSidecars ? [] : [docker]),
    ],
    initContainers: hasSidecars ? [copy, sidecar] : [copy],
    volumes: ['work', 'dind-sock', 'dind-externals'].map((name) => ({ name, emptyDir: {} })),
  };
}

/** Two minutes: as long as the runner waits for Docker. */
const dockerAnswers = {
  exec: { command: ['docker', 'info'] },
  failureThreshold: 24,
  periodSeconds: 5,
};

const hookVariables = [
  { name: 'ACTIONS_RUNNER_POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  { name: 'ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER', value: 'true' },
];

/** Every job in a pod of its own, made by the runner's container hooks; both share the work volume. */
function kubernetes({ kubernetesModeWorkVolumeClaim: claim }: ContainerMode): PodSpec {
  const volume = { name: 'work', ephemeral: { volumeClaimTemplate: { spec: claim } } };
  return {
    containers: [
      {
        name: runnerContainerName,
        env: [
          { name: 'ACTIONS_RUNNER_CONTAINER_HOOKS', value: '/home/runner/k8s/index.js' },
          ...hookVariables,
        ],
        volumeMounts: [work],
      },
    ],
    ...(claim ? { volumes: [volume] } : {}),
  };
}

function kubernetesWithoutVolume(runner: Container | undefined): PodSpec {
  return {
    containers: [
      {
        name: runnerContainerName,
        env: [
          { name: 'ACTIONS_RUNNER_CONTAINER_HOOKS', value: '/home/runner/k8s-novolume/index.js' },
          { name: 'ACTIONS_RUNNER_IMAGE', value: runner?.image ?? '' },
          ...hookVariables,
        ],
      },
    ],
  };
}
