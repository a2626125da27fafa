import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ConfigError } from '@baton/shared/errors';
import type { RunnerUser } from './definition.ts';

const execute = promisify(execFile);

/** What to put in front of a command that is to run as the user; nothing where there is none. */
export function asUser(user: RunnerUser | undefined): string[] {
  if (!user) return [];
  const { uid, gid, groups = [] } = user;
  const supplementary = groups.length > 0 ? ['--groups', groups.join(',')] : ['--clear-groups'];
  const ids = ['--reuid', String(uid), '--regid', String(gid)];
  return ['setpriv', ...ids, ...supplementary, '--inh-caps=-all', '--'];
}

/** @throws ConfigError unless this process may act as the user, and the user may reach the folder. */
export async function verifyUser(user: RunnerUser | undefined, folder: string): Promise<void> {
  const [program, ...args] = asUser(user);
  if (!user || program === undefined) return;
  const who = `uid ${user.uid} and gid ${user.gid}`;
  try {
    await execute(program, [...args, 'true']);
  } catch (cause) {
    const advice = 'run the service as root, with setpriv (util-linux) on its PATH';
    throw new ConfigError(`the process provider cannot run runners as ${who}: ${advice}`, {
      cause,
    });
  }
  try {
    await execute(program, [...args, '/bin/sh', '-c', 'cd "$0"', folder]);
  } catch (cause) {
    const advice = 'give every folder above it the right to be passed through (chmod o+x)';
    throw new ConfigError(`${who} cannot reach ${folder}: ${advice}`, { cause });
  }
}
