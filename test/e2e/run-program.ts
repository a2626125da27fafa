import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a program to its end, in an environment of its own, and in the repository if not said. */
export async function runProgram(
  program: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  cwd: string = root,
): Promise<Ended> {
  const { PATH = '', HOME = '', NATS_SERVER_BIN } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { PATH, HOME, ...(NATS_SERVER_BIN ? { NATS_SERVER_BIN } : {}), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (ended.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (ended.stderr += String(chunk)));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...ended, code }));
  });
}
