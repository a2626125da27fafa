import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const wrapper = fileURLToPath(new URL('./run-instance.sh', import.meta.url));

interface WrapperOptions {
  folder: string;
  runnerName: string;
  command: readonly string[];
  env: Record<string, string>;
}

/**
 * Starts the wrapper script as the leader of a session of its own, so that it outlives this
 * process. Resolves once it runs.
 */
export async function startWrapper({
  folder,
  runnerName,
  command,
  env,
}: WrapperOptions): Promise<void> {
  await using stdout = await open(join(folder, 'stdout.log'), 'a', 0o600);
  await using stderr = await open(join(folder, 'stderr.log'), 'a', 0o600);
  const child = spawn('/bin/sh', [wrapper, runnerName, ...command], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', stdout.fd, stderr.fd],
  });
  await once(child, 'spawn');
  child.unref();
}
