import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@baton/shared/time';
import { z } from 'zod';
import type { ComputeProvider, CreateRequest, Instance } from '../provider.ts';
import type { ProviderDeps } from '../provider-deps.ts';
import { ProviderError } from '../provider-error.ts';
import type { Hierarchy } from './cgroup/hierarchies.ts';
import { combineLimits, type Limits } from './cgroup/limits.ts';
import { type ProcessDefinition, processSettingsSchema } from './definition.ts';
import { hasErrno, toProviderError } from './errno.ts';
import { folderNameSchema, readTags } from './instance-folder.ts';
import type { InstanceRemover } from './instance-remover.ts';
import { makeInstance } from './make-instance.ts';
import { observeInstance } from './observe-instance.ts';
import { runnerEnvironment } from './runner-environment.ts';
import { startWrapper } from './start-wrapper.ts';

interface ProcessProviderOptions extends ProviderDeps {
  definition: ProcessDefinition;
  hostId: string;
  /** `<directory>/<installationId>`; exists. */
  root: string;
  /** Where instances get their cgroups; none where they have none. */
  hierarchies: readonly Hierarchy[];
  remover: InstanceRemover;
}

/**
 * Runners as processes on this host. An instance is the folder `<root>/<runnerId>`; the folder is
 * the only state, so any process on the host that shares the directory (and the PID namespace)
 * sees and may delete what another one created.
 */
export class ProcessProvider implements ComputeProvider {
  readonly hostId: string;
  readonly #definition: ProcessDefinition;
  readonly #installationId: string;
  readonly #root: string;
  readonly #hierarchies: readonly Hierarchy[];
  readonly #remover: InstanceRemover;
  readonly #clock: Clock;
  readonly #env: ProviderDeps['env'];
  /** Creates under way here; with the folders in place, what counts against `maxInstances`. */
  #creatingCount = 0;

  constructor(options: ProcessProviderOptions) {
    this.hostId = options.hostId;
    this.#definition = options.definition;
    this.#installationId = options.installationId;
    this.#root = options.root;
    this.#hierarchies = options.hierarchies;
    this.#remover = options.remover;
    this.#clock = options.clock;
    this.#env = options.env;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    const limits = this.#validate(request);
    const instanceId = request.runnerId;
    const folder = join(this.#root, instanceId);
    try {
      if (await readTags(folder)) return { instanceId };
      if ((await this.#free()) <= 0) throw new ProviderError('quota', 'maxInstances is reached');
      this.#creatingCount += 1;
      const isNew = await this.#make(request, limits, signal).finally(() => {
        this.#creatingCount -= 1;
      });
      if (isNew) await this.#start(folder, request);
      return { instanceId };
    } catch (error) {
      throw toProviderError('create runner process', error);
    }
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    signal.throwIfAborted();
    try {
      const found = await Promise.all(
        (await this.#names()).map((name) => observeInstance(join(this.#root, name), this.#clock)),
      );
      signal.throwIfAborted();
      return found.filter((instance) => instance !== undefined);
    } catch (error) {
      throw toProviderError('list runner processes', error);
    }
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!folderNameSchema.safeParse(instanceId).success) return;
    try {
      await this.#remover.remove(instanceId, signal);
    } catch (error) {
      throw toProviderError('delete runner process', error);
    }
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    signal.throwIfAborted();
    try {
      return { free: Math.max(0, await this.#free()) };
    } catch (error) {
      throw toProviderError('count runner processes', error);
    }
  }

  /** The limits of the instance. */
  #validate({ runnerId, installationId, settings }: CreateRequest): Limits {
    if (!folderNameSchema.safeParse(runnerId).success)
      throw new ProviderError('bug', 'the runner id cannot be a folder name', {
        details: { runnerId },
      });
    if (installationId !== this.#installationId)
      throw new ProviderError('bug', 'the request is for another installation', {
        details: { runnerId, installationId },
      });
    const parsed = processSettingsSchema.safeParse(settings);
    if (!parsed.success)
      throw new ProviderError('invalid-settings', invalidSettings(z.prettifyError(parsed.error)));
    const { limits = {} } = this.#definition;
    const combined = combineLimits(limits, parsed.data?.limits ?? {});
    if ('problem' in combined)
      throw new ProviderError('invalid-settings', invalidSettings(combined.problem));
    return combined.limits;
  }

  async #make(request: CreateRequest, limits: Limits, signal: AbortSignal): Promise<boolean> {
    const { user } = this.#definition;
    const [root, hierarchies, remover] = [this.#root, this.#hierarchies, this.#remover];
    const clock = this.#clock;
    return await makeInstance({ root, request, hierarchies, limits, user, remover, clock, signal });
  }

  /** From here on an abort comes too late; a failure takes the folder away again. */
  async #start(folder: string, request: CreateRequest): Promise<void> {
    const definition = this.#definition;
    const { runnerName } = request;
    const home = definition.user ? { HOME: join(folder, 'work') } : {};
    const env = runnerEnvironment(this.#env, { ...home, ...definition.env }, request);
    try {
      await startWrapper({ folder, runnerName, definition, env });
    } catch (error) {
      // Not found: somebody deleted the instance, and the name may be another's by now.
      if (!hasErrno(error, 'ENOENT'))
        await this.#remover.remove(request.runnerId, new AbortController().signal);
      throw error;
    }
  }

  async #free(): Promise<number> {
    const inPlace = (await this.#names()).length;
    return this.#definition.maxInstances - inPlace - this.#creatingCount;
  }

  /** Folders in place. Names with a dot in front are half-made or half-removed. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.#root);
    return names.filter((name) => folderNameSchema.safeParse(name).success);
  }
}

function invalidSettings(problem: string): string {
  return `the settings of the scale set cannot be used by the process provider: ${problem}`;
}
