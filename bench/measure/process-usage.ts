import { readFile } from 'node:fs/promises';

/** What a process has used, as the kernel counts it. */
export interface ProcessUsage {
  rssBytes: number;
  /** User and system time since it started, in ms. */
  cpuMs: number;
}

/** Linux counts in hundredths of a second for every program, whatever the kernel's own tick is. */
const tickMs = 10;

/** Reads `/proc`; rejects when there is no such process, and where there is no `/proc`. */
export async function readUsage(pid: number): Promise<ProcessUsage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  return { rssBytes: parseRss(status), cpuMs: parseCpu(stat) };
}

/** Of `/proc/PID/stat`: the fields behind the program's name, which may hold spaces and brackets. */
export function parseCpu(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Of `/proc/PID/status`. */
export function parseRss(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
