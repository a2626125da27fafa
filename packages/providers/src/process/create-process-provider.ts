import { access, chmod, constants, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import type { ProviderDeps } from '../provider-deps.ts';
import { verifyUser } from './as-user.ts';
import { verifyCgroups } from './cgroup/verify-cgroups.ts';
import type { ProcessDefinition } from './definition.ts';
import { hostIdOf } from './host-id.ts';
import { folderNameSchema } from './instance-folder.ts';
import { InstanceRemover } from './instance-remover.ts';
import { ProcessProvider } from './process-provider.ts';

/** Checks what the provider needs of this host, clears what a crash left behind, and builds it. */
export async function createProcessProvider(
  definition: ProcessDefinition,
  { installationId, clock, env }: ProviderDeps,
): Promise<ProcessProvider> {
  await verifyHost();
  await verifyProgram(definition.command[0]);
  if (!folderNameSchema.safeParse(installationId).success)
    throw new ConfigError(`the installation id ${installationId} cannot be a folder's name`);
  const root = join(definition.directory, installationId);
  await makeDirectory(root);
  if (definition.user) for (const path of [definition.directory, root]) await chmod(path, 0o711);
  await verifyUser(definition.user, root);
  const hierarchies = await verifyCgroups(definition.cgroup, definition.limits ?? {}, clock);
  const hostId = definition.hostId ?? (await hostIdOf(definition.directory, env));
  const remover = new InstanceRemover({ root, stopTimeoutMs: definition.stopTimeoutMs, clock });
  await remover.removeStrays();
  const place = { hostId, installationId, root, hierarchies };
  return new ProcessProvider({ definition, ...place, remover, clock, env });
}

async function verifyHost(): Promise<void> {
  try {
    await access('/proc/self/stat');
  } catch (error) {
    const message = 'the process provider needs Linux: it tells processes apart by /proc';
    throw new ConfigError(message, { cause: error });
  }
}

async function verifyProgram(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
    if ((await stat(program)).isFile()) return;
  } catch (error) {
    throw new ConfigError(programAdvice(program), { cause: error });
  }
  throw new ConfigError(programAdvice(program));
}

function programAdvice(program: string): string {
  return (
    `the runner program ${program} is missing or not executable: download actions/runner from ` +
    'https://github.com/actions/runner/releases, unpack it, and set the command of the process ' +
    'provider to its run.sh'
  );
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const message = `the process provider cannot write to its directory ${path}`;
    throw new ConfigError(message, { cause: error });
  }
}
