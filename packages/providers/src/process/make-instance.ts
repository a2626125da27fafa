import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, isoNow } from '@baton/shared/time';
import type { CreateRequest } from '../provider.ts';
import type { Hierarchy } from './cgroup/hierarchies.ts';
import { cgroupFolders, makeCgroups } from './cgroup/instance-cgroups.ts';
import type { Limits } from './cgroup/limits.ts';
import type { RunnerUser } from './definition.ts';
import { hasErrno } from './errno.ts';
import { writeTags } from './instance-folder.ts';
import { type InstanceRemover, stagingPrefix } from './instance-remover.ts';

interface MakeOptions {
  root: string;
  request: CreateRequest;
  /** Where the instance gets its cgroup, and what it may use. */
  hierarchies: readonly Hierarchy[];
  limits: Limits;
  user: RunnerUser | undefined;
  remover: InstanceRemover;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Makes the folder of an instance complete under another name and renames it into place, which fails
 * if the place is taken: of two creates one wins, and nobody ever sees an instance without its tags.
 * Its cgroups have a name of their own and stand in the tags before they are made, so that whoever
 * removes the folder, however far this came, removes them too.
 * @returns whether this call made it
 */
export async function makeInstance(options: MakeOptions): Promise<boolean> {
  const { root, request, hierarchies, limits, user, remover, clock, signal } = options;
  const cgroup = `${request.runnerId}.${randomUUID().slice(0, 8)}`;
  const staging = await mkdtemp(join(root, stagingPrefix));
  try {
    await mkdir(join(staging, 'work'));
    if (user) await letPass(staging, user);
    const cgroups = cgroupFolders(hierarchies, cgroup);
    await writeTags(staging, request, { createdAt: isoNow(clock), cgroups });
    await makeCgroups(hierarchies, cgroup, limits);
    signal.throwIfAborted();
    await rename(staging, join(root, request.runnerId));
    return true;
  } catch (error) {
    await remover.abandon(staging, new AbortController().signal);
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

/** The user owns `work` and may pass through the folder around it, without seeing what is in it. */
async function letPass(folder: string, { uid, gid }: RunnerUser): Promise<void> {
  await chmod(folder, 0o711);
  await chown(join(folder, 'work'), uid, gid);
}
