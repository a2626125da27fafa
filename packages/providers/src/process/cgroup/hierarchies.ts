import { join } from 'node:path';

/** One mounted tree of cgroups. */
interface Mount {
  version: 1 | 2;
  point: string;
  /** Which folder of the tree is mounted there. */
  root: string;
  /** Version 1 only: what it controls. */
  controllers: readonly string[];
}

export interface Hierarchy {
  version: 1 | 2;
  /** The folder in which instances get theirs. */
  base: string;
  /** What is limited in this tree. */
  controllers: readonly Controller[];
}

export const controllers = ['memory', 'cpu', 'pids'] as const;
export type Controller = (typeof controllers)[number];

export interface CgroupTexts {
  /** `/proc/self/mountinfo` */
  mountinfo: string;
  /** `/proc/self/cgroup` */
  own: string;
  /** `cgroup.controllers` at the top of the version 2 tree; empty where there is none. */
  unified: string;
}

/**
 * The trees to use: version 2 wherever it is mounted, and a tree of version 1 for each controller that
 * version 2 does not have. `cgroup` is a path from the top of each tree, or, without a leading slash,
 * from the cgroup of this process. Controllers that no tree has are missing from the result. Pure.
 */
export function findHierarchies(
  texts: CgroupTexts,
  cgroup: string,
  needed: readonly Controller[],
): Hierarchy[] {
  const mounts = parseMounts(texts.mountinfo);
  const unified = mounts.find(({ version }) => version === 2);
  const inUnified = needed.filter((name) => texts.unified.split(/\s/).includes(name));
  const at = (mount: Mount) => folderOf(mount, cgroup, texts.own);
  const found: Hierarchy[] = [];
  if (unified) found.push({ version: 2, base: at(unified), controllers: inUnified });
  for (const name of needed.filter((one) => !inUnified.includes(one))) {
    const mount = mounts.find((one) => one.controllers.includes(name));
    if (!mount) continue;
    // Several controllers of version 1 may share a tree.
    const known = found.find(({ base }) => base === at(mount));
    if (known) known.controllers = [...known.controllers, name];
    else found.push({ version: 1, base: at(mount), controllers: [name] });
  }
  const any = mounts.find(({ controllers: has }) => has.includes('pids'));
  if (found.length === 0 && any) found.push({ version: 1, base: at(any), controllers: [] });
  return found;
}

/** Where the version 2 tree is mounted. Pure. */
export function unifiedPoint(mountinfo: string): string | undefined {
  return parseMounts(mountinfo).find(({ version }) => version === 2)?.point;
}

function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line): Mount[] => {
    const [left, right] = line.split(' - ');
    const [root, point] = left?.split(' ').slice(3) ?? [];
    const [type, , options] = right?.split(' ') ?? [];
    if (root === undefined || point === undefined) return [];
    if (type === 'cgroup2') return [{ version: 2, point, root, controllers: [] }];
    if (type !== 'cgroup') return [];
    return [{ version: 1, point, root, controllers: options?.split(',') ?? [] }];
  });
}

function folderOf({ version, point, root, controllers: has }: Mount, cgroup: string, own: string) {
  if (cgroup.startsWith('/')) return join(point, withoutRoot(cgroup, root));
  const line = own.split('\n').find((text) => {
    const names = text.split(':')[1] ?? '';
    return version === 2
      ? text.startsWith('0::')
      : has.some((one) => names.split(',').includes(one));
  });
  const path = line?.split(':').slice(2).join(':') ?? '/';
  return join(point, withoutRoot(path, root), cgroup);
}

/** In a container only a part of the tree may be mounted. */
function withoutRoot(path: string, root: string): string {
  return root !== '/' && path.startsWith(root) ? path.slice(root.length) : path;
}
