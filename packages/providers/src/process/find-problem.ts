import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceProblem } from '../provider.ts';
import { readMemoryKill } from './cgroup/instance-cgroups.ts';
import { hasErrno } from './errno.ts';

/** How shells and setpriv say that a program could not be started, and our wrapper that it failed. */
const notExecutable = 126;
const notFound = 127;
const wrapperFailed = 125;

const tailBytes = 4096;
const maxTextLength = 300;

/** What made a runner end that did not end well, as far as the provider knows. */
export async function findProblem(
  folder: string,
  cgroups: readonly string[],
  exitCode: number,
): Promise<InstanceProblem | undefined> {
  if (exitCode === 0) return undefined;
  const limitBytes = await readMemoryKill(cgroups);
  if (limitBytes !== undefined) {
    const limit = `${Math.round(limitBytes / 2 ** 20)} MiB`;
    const text = `the kernel killed a process of the runner at its memory limit of ${limit}`;
    return { class: 'quota', text };
  }
  if (exitCode === notFound || exitCode === notExecutable) {
    const reason = await lastLine(join(folder, 'stderr.log'));
    const text = `the runner program could not be started (exit code ${exitCode})${reason}`;
    return { class: exitCode === notFound ? 'not-found' : 'denied', text };
  }
  if (exitCode !== wrapperFailed) return undefined;
  const reason = await lastLine(join(folder, 'wrapper.log'));
  return reason ? { class: 'transient', text: `the runner was not started${reason}` } : undefined;
}

/** `: ` and the last line of a file, shortened; nothing if it has none. Reads only its end. */
async function lastLine(path: string): Promise<string> {
  const lines = (await readEnd(path)).split('\n').map((line) => line.trim());
  const last = lines.findLast((line) => line !== '');
  return last ? `: ${withoutLongWords(last).slice(0, maxTextLength)}` : '';
}

async function readEnd(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    // The first word may be the end of a long one.
    return start === 0 ? text : text.replace(/^\S*/, '');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

/** No word of people is that long, but a JIT config is: it must not get into a record. */
function withoutLongWords(line: string): string {
  return line.replace(/\S{120,}/g, '[...]');
}
