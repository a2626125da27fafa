import { randomUUID } from 'node:crypto';
import { chmod, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@baton/shared/time';
import { removeCgroups } from './cgroup/remove-cgroups.ts';
import { hasErrno } from './errno.ts';
import { announceStop, cancelLaunch, readLaunch, readTags } from './instance-folder.ts';
import { stopGroup } from './process-group.ts';

/** A folder that is being filled, before it gets its name. */
export const stagingPrefix = '.creating-';
const trashPrefix = '.deleted-';
/** Filling a folder takes milliseconds; one this old was left by a crash. */
const staleStagingMs = 60_000;

interface RemoverOptions {
  root: string;
  stopTimeoutMs: number;
  clock: Clock;
}

/**
 * Takes instances away. Every step may run twice, in several processes at once: the launch is
 * cancelled or the processes are ended (the group, with time to finish, then what has left it and is
 * in the cgroup), the folder is renamed out of sight, the processes of what
 * was renamed are ended (it could be a newer instance of the same name), the folder is removed.
 */
export class InstanceRemover {
  readonly #root: string;
  readonly #stopTimeoutMs: number;
  readonly #clock: Clock;

  constructor({ root, stopTimeoutMs, clock }: RemoverOptions) {
    this.#root = root;
    this.#stopTimeoutMs = stopTimeoutMs;
    this.#clock = clock;
  }

  async remove(runnerId: string, signal: AbortSignal): Promise<void> {
    const folder = join(this.#root, runnerId);
    await this.#stop(folder, runnerId, signal);
    await renameIfPresent(folder, join(this.#root, `${trashPrefix}${runnerId}~${randomUUID()}`));
    for (const name of await readdir(this.#root)) {
      if (name.startsWith(`${trashPrefix}${runnerId}~`)) await this.#discard(name, signal);
    }
  }

  /** Clears what a process that died left half-made or half-removed. */
  async removeStrays(signal: AbortSignal = new AbortController().signal): Promise<void> {
    for (const name of await readdir(this.#root)) {
      if (name.startsWith(trashPrefix)) await this.#discard(name, signal);
      if (name.startsWith(stagingPrefix) && (await this.#isStale(name))) {
        await this.abandon(join(this.#root, name), signal);
      }
    }
  }

  /** Takes away a folder that never was an instance, and the cgroups made for it. */
  async abandon(folder: string, signal: AbortSignal): Promise<void> {
    await this.#removeCgroups(folder, signal);
    await removeFolder(folder);
  }

  async #discard(name: string, signal: AbortSignal): Promise<void> {
    const folder = join(this.#root, name);
    const runnerId = name.slice(trashPrefix.length, name.lastIndexOf('~'));
    await this.#stop(folder, runnerId, signal);
    await closeFolder(folder);
    await removeFolder(folder);
  }

  async #stop(folder: string, runnerId: string, signal: AbortSignal): Promise<void> {
    await cancelLaunch(folder);
    await announceStop(folder);
    const launch = await readLaunch(folder, runnerId);
    const [clock, stopTimeoutMs] = [this.#clock, this.#stopTimeoutMs];
    if (typeof launch === 'object') await stopGroup(launch, { clock, stopTimeoutMs, signal });
    await this.#removeCgroups(folder, signal);
  }

  async #removeCgroups(folder: string, signal: AbortSignal): Promise<void> {
    const { cgroups = [] } = (await readTags(folder)) ?? {};
    await removeCgroups(cgroups, { clock: this.#clock, signal });
  }

  async #isStale(name: string): Promise<boolean> {
    try {
      const { mtimeMs } = await stat(join(this.#root, name));
      return this.#clock.now() - mtimeMs > staleStagingMs;
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return false;
      throw error;
    }
  }
}

/** Jobs of the same user must not move things about in what is being removed. */
async function closeFolder(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

/** Removes a folder and all in it, while others may be doing the same. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

async function renameIfPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}
