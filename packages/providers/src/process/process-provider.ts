import { mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, isoNow } from '@baton/shared/time';
import type { ComputeProvider, CreateRequest, Instance } from '../provider.ts';
import type { ProviderDeps } from '../provider-deps.ts';
import { ProviderError } from '../provider-error.ts';
import { type ProcessDefinition, processSettingsSchema } from './definition.ts';
import { hasErrno, toProviderError } from './errno.ts';
import { folderNameSchema, readTags, writeTags } from './instance-folder.ts';
import { type InstanceRemover, removeFolder, stagingPrefix } from './instance-remover.ts';
import { observeInstance } from './observe-instance.ts';
import { runnerEnvironment } from './runner-environment.ts';
import { startWrapper } from './start-wrapper.ts';

interface ProcessProviderOptions extends ProviderDeps {
  definition: ProcessDefinition;
  hostId: string;
  /** `<directory>/<installationId>`; exists. */
  root: string;
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
    this.#remover = options.remover;
    this.#clock = options.clock;
    this.#env = options.env;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    this.#validate(request);
    const instanceId = request.runnerId;
    const folder = join(this.#root, instanceId);
    try {
      if (await readTags(folder)) return { instanceId };
      if ((await this.#free()) <= 0) throw new ProviderError('quota', 'maxInstances is reached');
      this.#creatingCount += 1;
      const isNew = await this.#makeFolder(folder, request, signal).finally(() => {
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

  #validate({ runnerId, installationId, settings }: CreateRequest): void {
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
      throw new ProviderError('invalid-settings', 'the process provider takes no settings', {
        cause: parsed.error,
      });
  }

  /**
   * Makes the folder complete under another name and renames it into place, which fails if the
   * place is taken: of two creates one wins, and nobody ever sees an instance without its tags.
   */
  async #makeFolder(folder: string, request: CreateRequest, signal: AbortSignal): Promise<boolean> {
    const staging = await mkdtemp(join(this.#root, stagingPrefix));
    try {
      await mkdir(join(staging, 'work'));
      await writeTags(staging, request, isoNow(this.#clock));
      signal.throwIfAborted();
      await rename(staging, folder);
      return true;
    } catch (error) {
      await removeFolder(staging);
      if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
      throw error;
    }
  }

  /** From here on an abort comes too late; a failure takes the folder away again. */
  async #start(folder: string, request: CreateRequest): Promise<void> {
    const { command, env } = this.#definition;
    try {
      await startWrapper({
        folder,
        runnerName: request.runnerName,
        command,
        env: runnerEnvironment(this.#env, env, request),
      });
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
