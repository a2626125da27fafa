import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CreateRequest } from '../provider.ts';
import { hasErrno } from './errno.ts';
import { readPidScope } from './proc.ts';
import type { ProcessGroup } from './process-group.ts';

/** Names that are safe as a folder's and never collide with our own, which start with a dot. */
export const folderNameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/);

/** The runner's id in the environment of its processes. */
export const markerVariable = 'BATON_RUNNER_ID';

const tagsSchema = z.object({
  version: z.int(),
  runnerId: z.string(),
  runnerName: z.string(),
  scaleSetId: z.string(),
  installationId: z.string(),
  generation: z.string(),
  createdAt: z.iso.datetime(),
  /** The folders of its cgroup, one in each tree. */
  cgroups: z.array(z.string()).default([]),
});

export type InstanceTags = z.output<typeof tagsSchema>;

/**
 * What is known of the wrapper: not written yet, its process group, or over: cancelled by a deleter,
 * or of a boot that is past.
 */
export type Launch = 'pending' | 'over' | ProcessGroup;

/** Writes the tags, and for the wrapper the list of cgroups to join. Done in a folder that nobody else sees yet, so that they are there or not. */
export async function writeTags(
  folder: string,
  request: CreateRequest,
  { createdAt, cgroups }: Pick<InstanceTags, 'createdAt' | 'cgroups'>,
): Promise<void> {
  const { runnerId, runnerName, scaleSetId, installationId, generation } = request;
  const tags: InstanceTags = {
    version: 1,
    runnerId,
    runnerName,
    scaleSetId,
    installationId,
    generation,
    createdAt,
    cgroups,
  };
  const list = cgroups.map((path) => `${path}\n`).join('');
  if (list) await writeFile(join(folder, 'cgroups'), list, { mode: 0o600 });
  const text = `${JSON.stringify(tags, undefined, 2)}\n`;
  await writeFile(join(folder, 'instance.json'), text, { mode: 0o600 });
}

/**
 * The tags; `undefined` if there is no such instance. A file that is not ours, or was damaged, is
 * none either: one bad folder must not hide all the others.
 */
export async function readTags(folder: string): Promise<InstanceTags | undefined> {
  const text = await readIfPresent(join(folder, 'instance.json'));
  if (text === undefined) return undefined;
  try {
    return tagsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function readLaunch(folder: string, runnerId: string): Promise<Launch> {
  const text = await readIfPresent(join(folder, 'pid'));
  if (text === undefined) return 'pending';
  const [pid, startTicks, scope] = text.trim().split(' ');
  if (!pid || !startTicks) return 'over';
  // An instance of an earlier version has no scope.
  if (scope !== undefined && scope !== (await readPidScope())) return 'over';
  return { leader: { pid: Number(pid), startTicks }, marker: `${markerVariable}=${runnerId}` };
}

/** Takes the wrapper's place, so that a runner which has not started never will. */
export async function cancelLaunch(folder: string): Promise<void> {
  try {
    await writeFile(join(folder, 'pid'), 'cancelled\n', { flag: 'wx' });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST', 'ENOENT')) throw error;
  }
}

/** Says that the instance is about to be signalled, to a wrapper that is just starting the runner. */
export async function announceStop(folder: string): Promise<void> {
  try {
    await writeFile(join(folder, 'stopping'), '');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

/** How the runner ended; `undefined` if nobody wrote that down (yet). */
export async function readExit(
  folder: string,
): Promise<{ exitCode: number; exitedAt: string } | undefined> {
  const path = join(folder, 'exit');
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  const { mtime } = await stat(path);
  return { exitCode: Number(text), exitedAt: mtime.toISOString() };
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
