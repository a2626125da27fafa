import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asUser } from './as-user.ts';
import { defaultLogs, type ProcessDefinition } from './definition.ts';
import { readPidScope } from './proc.ts';

const wrapper = fileURLToPath(new URL('./run-instance.sh', import.meta.url));

interface WrapperOptions {
  folder: string;
  runnerName: string;
  definition: Pick<ProcessDefinition, 'command' | 'user' | 'logs'>;
  env: Record<string, string>;
}

/**
 * Starts the wrapper script as the leader of a session of its own, so that it outlives this
 * process. Resolves once it runs.
 */
export async function startWrapper({
  folder,
  runnerName,
  definition: { command, user, logs: { fileBytes, files } = defaultLogs },
  env,
}: WrapperOptions): Promise<void> {
  const bookkeeping = [runnerName, await readPidScope(), String(fileBytes), String(files)];
  await using log = await open(join(folder, 'wrapper.log'), 'a', 0o600);
  const child = spawn('/bin/sh', [wrapper, ...bookkeeping, ...asUser(user), ...command], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn');
  child.unref();
}
