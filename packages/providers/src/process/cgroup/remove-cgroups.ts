import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@baton/shared/time';
import { ProviderError } from '../../provider-error.ts';
import { hasErrno } from '../errno.ts';

const killWaitMs = 5000;
const pollMs = 20;

/**
 * Kills everything in the cgroups, at once, and removes them. May run twice and in several processes
 * at once; cgroups that are not there are done.
 */
export async function removeCgroups(
  folders: readonly string[],
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const deadline = clock.monotonic() + killWaitMs;
  for (const folder of folders) {
    while (!(await tryRemove(folder))) {
      if (clock.monotonic() >= deadline)
        throw new ProviderError(
          'transient',
          'a cgroup does not become empty although it was killed',
          {
            details: { folder },
          },
        );
      await clock.sleep(pollMs, signal);
    }
  }
}

/** One round of killing and removing; whether the cgroup is gone. */
async function tryRemove(folder: string): Promise<boolean> {
  const parts = await treeOf(folder);
  if (!(await killAtOnce(folder))) for (const part of parts) await killEach(part);
  for (const part of parts.reverse()) {
    if (!(await isRemoved(part))) return false;
  }
  return true;
}

/** The cgroup and all below it, parents first. */
async function treeOf(folder: string): Promise<string[]> {
  const entries = await unlessGone(readdir(folder, { withFileTypes: true }), []);
  const below = entries.filter((entry) => entry.isDirectory());
  const trees = await Promise.all(below.map(({ name }) => treeOf(join(folder, name))));
  return [folder, ...trees.flat()];
}

/** Version 2 kills a whole tree in one step, so that nothing can fork its way out. */
async function killAtOnce(folder: string): Promise<boolean> {
  try {
    await writeFile(join(folder, 'cgroup.kill'), '1', { flag: 'r+' });
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return false;
    throw error;
  }
}

async function killEach(folder: string): Promise<void> {
  const text = await unlessGone(readFile(join(folder, 'cgroup.procs'), 'utf8'), '');
  for (const pid of text.split('\n').map(Number)) {
    if (pid > 0) killIfThere(pid);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

async function isRemoved(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return true;
    if (hasErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}

async function unlessGone<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENODEV')) return otherwise;
    throw error;
  }
}
