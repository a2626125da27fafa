import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ConfigError } from '@baton/shared/errors';
import type { Clock } from '@baton/shared/time';
import { controllers, findHierarchies, type Hierarchy, unifiedPoint } from './hierarchies.ts';
import { cgroupFolders, makeCgroups } from './instance-cgroups.ts';
import { controllersFor, type Limits } from './limits.ts';
import { removeCgroups } from './remove-cgroups.ts';

const execute = promisify(execFile);

/**
 * The trees in which instances get their cgroup, proven by making one with these limits, moving a
 * process into it and removing it.
 * @throws ConfigError when limits are asked for that this host, or these rights, cannot give.
 */
export async function verifyCgroups(
  cgroup: string | undefined,
  limits: Limits,
  clock: Clock,
): Promise<Hierarchy[]> {
  const needed = controllersFor(limits);
  if (cgroup === undefined) {
    if (needed.length === 0) return [];
    throw new ConfigError(
      'limits of the process provider need "cgroup", the folder to put them in',
    );
  }
  const hierarchies = findHierarchies(await readTexts(), cgroup, needed);
  const missing = needed.filter(
    (name) => !hierarchies.some((one) => one.controllers.includes(name)),
  );
  if (hierarchies.length === 0 || missing.length > 0)
    throw new ConfigError(
      `this host has no cgroups for ${missing.join(', ') || controllers.join(', ')}: mount them, ` +
        'or take "limits" and "cgroup" out of the definition of the process provider',
    );
  await tryOut(hierarchies, limits, clock);
  return hierarchies;
}

async function tryOut(hierarchies: Hierarchy[], limits: Limits, clock: Clock): Promise<void> {
  const name = `verify-${randomUUID()}`;
  const folders = cgroupFolders(hierarchies, name);
  const { signal } = new AbortController();
  try {
    await makeCgroups(hierarchies, name, limits);
    for (const folder of folders)
      await execute('/bin/sh', ['-c', 'echo 0 >"$0/runner/cgroup.procs"', folder]);
  } catch (cause) {
    throw new ConfigError(
      `the process provider cannot use the cgroup ${folders.join(' or ')}: run the service as root, ` +
        'or give it a delegated folder without processes of its own as "cgroup"',
      { cause },
    );
  } finally {
    await removeCgroups(folders, { clock, signal });
  }
}

async function readTexts() {
  const [mountinfo, own] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/self/cgroup', 'utf8'),
  ]);
  const point = unifiedPoint(mountinfo);
  const unified = point
    ? await readFile(`${point}/cgroup.controllers`, 'utf8').catch(() => '')
    : '';
  return { mountinfo, own, unified };
}
