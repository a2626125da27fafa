import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errno.ts';
import type { Hierarchy } from './hierarchies.ts';
import { type LimitFile, type Limits, limitFiles } from './limits.ts';

/**
 * The two halves of an instance's cgroup. The wrapper and its log keepers are in `keeper`, outside of
 * the limits: a runner that reaches them must not take down who keeps its books. (In version 2 only
 * leaves may hold processes.)
 */
const halves = ['keeper', 'runner'] as const;

/** Where the instance's cgroup is in each tree. */
export function cgroupFolders(hierarchies: readonly Hierarchy[], name: string): string[] {
  return hierarchies.map(({ base }) => join(base, name));
}

/** Makes the cgroup in all trees, with its limits, and nothing in it. */
export async function makeCgroups(
  hierarchies: readonly Hierarchy[],
  name: string,
  limits: Limits,
): Promise<void> {
  for (const { version, base, controllers } of hierarchies) {
    const folder = join(base, name);
    await mkdir(folder, { recursive: true });
    if (version === 2) await delegate([base, folder], controllers);
    for (const half of halves) await mkdir(join(folder, half));
    for (const controller of controllers) {
      for (const file of limitFiles(version, controller, limits))
        await setLimit(join(folder, 'runner'), file);
    }
  }
}

/** Version 2 hands controllers down level by level. */
async function delegate(folders: string[], controllers: readonly string[]): Promise<void> {
  if (controllers.length === 0) return;
  const wanted = controllers.map((name) => `+${name}`).join(' ');
  for (const folder of folders) await writeFile(join(folder, 'cgroup.subtree_control'), wanted);
}

async function setLimit(folder: string, { name, value, isOptional }: LimitFile): Promise<void> {
  try {
    // Never made by us: outside of a cgroup file system this must fail.
    await writeFile(join(folder, name), value, { flag: 'r+' });
  } catch (error) {
    if (!(isOptional && hasErrno(error, 'ENOENT'))) throw error;
  }
}

/** The memory limit that the kernel has killed for; `undefined` if it has not. */
export async function readMemoryKill(folders: readonly string[]): Promise<number | undefined> {
  for (const folder of folders) {
    const runner = join(folder, 'runner');
    for (const [events, limit] of [
      ['memory.events', 'memory.max'],
      ['memory.oom_control', 'memory.limit_in_bytes'],
    ] as const) {
      const killed = /^oom_kill ([1-9]\d*)$/m.test(await textOf(join(runner, events)));
      if (killed) return Number(await textOf(join(runner, limit)));
    }
  }
  return undefined;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENODEV')) return '';
    throw error;
  }
}
