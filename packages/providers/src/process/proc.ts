import { readdir, readFile, readlink } from 'node:fs/promises';
import { hasErrno } from './errno.ts';

/** A process for certain: the kernel reuses pids, but not within one tick of the start time. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in clock ticks since boot, as the kernel writes it. */
  startTicks: string;
}

/**
 * Where and since when pids mean what they mean now: this boot of the host, and this namespace. After a
 * reboot, or in a new container, the same pid is another process.
 */
export async function readPidScope(): Promise<string> {
  pidScope ??= findPidScope();
  return await pidScope;
}

/** It cannot change while this process lives. */
let pidScope: Promise<string> | undefined;

async function findPidScope(): Promise<string> {
  const [boot, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
  ]);
  return `${boot.trim()}/${namespace}`;
}

interface ProcessStat extends ProcessIdentity {
  group: number;
  /** Not a zombie that waits for its parent. */
  isRunning: boolean;
}

/** What the kernel knows of a process; `undefined` if there is none. Linux only. */
export async function readProcess(pid: number): Promise<ProcessStat | undefined> {
  const text = await readProcFile(pid, 'stat');
  if (text === undefined) return undefined;
  // The name, in brackets, may itself hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, group, startTicks] = [fields[0], fields[2], fields[19]];
  if (state === undefined || group === undefined || startTicks === undefined) return undefined;
  return { pid, startTicks, group: Number(group), isRunning: state !== 'Z' && state !== 'X' };
}

/** So many files are open at once for a look at a group: dozens of groups may be looked at together. */
const openTogether = 16;

/** The running processes of a process group. Reads all of /proc: for rare cases only. */
export async function readGroup(group: number): Promise<ProcessStat[]> {
  const names = await readdir('/proc');
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found: ProcessStat[] = [];
  for (let at = 0; at < pids.length; at += openTogether) {
    const stats = await Promise.all(pids.slice(at, at + openTogether).map(readProcess));
    found.push(...stats.filter((stat) => stat !== undefined));
  }
  return found.filter((stat) => stat.group === group && stat.isRunning);
}

/** Whether the process was started with this `NAME=value`. Unreadable counts as no. */
export async function wasStartedWith(pid: number, variable: string): Promise<boolean> {
  const environment = await readProcFile(pid, 'environ');
  return environment?.split('\0').includes(variable) ?? false;
}

async function readProcFile(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
