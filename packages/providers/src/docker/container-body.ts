import type { CreateRequest } from '../provider.ts';
import type { DindDefinition, DockerDefinition } from './definition.ts';
import { labelsOf } from './labels.ts';
import type { ContainerSettings } from './settings.ts';

interface Plan {
  request: CreateRequest;
  definition: DockerDefinition;
  settings: ContainerSettings;
}

/** The name of the container in which a runner's own Docker daemon runs. */
export function daemonName(runnerName: string): string {
  return `${runnerName}-docker`;
}

/**
 * What the engine is to make the runner's container from. The JIT config is in the environment and
 * nowhere else: it is what actions/runner reads (and takes out of its environment) besides an
 * argument, which everybody on the host could see.
 */
export function runnerBody({ request, definition, settings }: Plan): Record<string, unknown> {
  const dind = settings.dind ? definition.dind : undefined;
  const env = {
    ...settings.env,
    ...(dind ? { DOCKER_HOST: `unix://${dind.socket}` } : {}),
    ...definition.env,
    ACTIONS_RUNNER_INPUT_JITCONFIG: request.jitConfig.reveal(),
  };
  return {
    Image: settings.image,
    Cmd: definition.command,
    Env: envList(env),
    Labels: { ...settings.labels, ...labelsOf(request, 'runner') },
    // Shared with the daemon's container, which takes its volumes from here: filled from the image.
    ...(dind ? { Volumes: Object.fromEntries(sharedFolders(dind).map((path) => [path, {}])) } : {}),
    HostConfig: {
      ...commonHost(definition, settings),
      NetworkMode: dind ? `container:${daemonName(request.runnerName)}` : definition.network,
      Binds: definition.binds.map(
        ({ source, target, readOnly }) => `${source}:${target}:${readOnly ? 'ro' : 'rw'}`,
      ),
      ...(definition.runtime === undefined ? {} : { Runtime: definition.runtime }),
    },
  };
}

/** The daemon's container: in the operator's network, with the runner's shared folders. */
export function daemonBody(plan: Plan, dind: DindDefinition): Record<string, unknown> {
  const { request, definition, settings } = plan;
  return {
    Image: dind.image,
    Cmd: dind.command,
    Env: envList(dind.env),
    Labels: labelsOf(request, 'docker'),
    Healthcheck: {
      Test: ['CMD', ...dind.readyCommand],
      Interval: 1_000_000_000,
      Timeout: 10_000_000_000,
      Retries: Math.ceil(dind.readyTimeoutMs / 1_000),
    },
    HostConfig: {
      ...commonHost(definition, settings),
      NetworkMode: definition.network,
      VolumesFrom: [request.runnerName],
      Privileged: dind.privileged,
      ...(dind.runtime === undefined ? {} : { Runtime: dind.runtime }),
    },
  };
}

/** Without swap, which would make the memory limit another one. */
function commonHost(
  { shmMiB }: DockerDefinition,
  { cpus, memoryMiB, pidsLimit }: ContainerSettings,
): Record<string, unknown> {
  const memory = memoryMiB === undefined ? undefined : memoryMiB * 2 ** 20;
  return {
    AutoRemove: false,
    RestartPolicy: { Name: 'no' },
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }),
    ...(pidsLimit === undefined ? {} : { PidsLimit: pidsLimit }),
    ...(shmMiB === undefined ? {} : { ShmSize: shmMiB * 2 ** 20 }),
  };
}

function sharedFolders({ socket, sharedFolders: folders }: DindDefinition): string[] {
  return [socket.slice(0, socket.lastIndexOf('/')), ...folders];
}

function envList(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
