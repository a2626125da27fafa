import { readdir, readFile } from 'node:fs/promises';
import { parseRss } from '../measure/process-usage.ts';

/** What a process holds, as the kernel counts it. */
export interface ProcessSample {
  rssMb: number;
  handles: number;
  threads: number;
}

/** Reads `/proc`; rejects when there is no such process, and where there is no `/proc`. */
export async function sampleProcess(pid: number): Promise<ProcessSample> {
  const [status, handles] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
  ]);
  return {
    rssMb: parseRss(status) / 1e6,
    handles: handles.length,
    threads: Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1]),
  };
}
