import { createHmac, randomUUID } from 'node:crypto';
import { access, link, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from './errno.ts';

/** systemd's, and the older one of D-Bus. */
const machineIdFiles = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
const containerMarks = ['/.dockerenv', '/run/.containerenv'];

/**
 * Where instances in the directory are: the same for all services that share it, another one on any
 * other host or for any other directory. Survives restarts of the services and the host.
 *
 * A container's machine id says nothing, since it comes with the image: there, and on a host without
 * one, a random id is kept in the directory itself.
 */
export async function hostIdOf(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const machineId = (await isContainer(env)) ? undefined : await readMachineId();
  if (machineId === undefined) return await keptId(directory);
  return hostIdFrom(machineId, await realpath(directory));
}

/** machine-id(5) asks that the id itself is never shown; a keyed hash of it may be. */
export function hostIdFrom(machineId: string, directory: string): string {
  const hash = createHmac('sha256', machineId).update(`baton process provider ${directory}`);
  return hash.digest('hex').slice(0, 16);
}

/** A random id, made by whoever comes first and the same for all ever after. */
export async function keptId(directory: string): Promise<string> {
  const file = join(directory, '.host-id');
  const made = join(directory, `.host-id-${randomUUID()}`);
  await writeFile(made, randomUUID().replaceAll('-', '').slice(0, 16));
  try {
    await link(made, file);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  } finally {
    await rm(made, { force: true });
  }
  return await readFile(file, 'utf8');
}

async function isContainer(env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  if (env.KUBERNETES_SERVICE_HOST !== undefined || env.container !== undefined) return true;
  const found = await Promise.all(
    containerMarks.map((mark) =>
      access(mark).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

async function readMachineId(): Promise<string | undefined> {
  for (const file of machineIdFiles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    // It says "uninitialized" while an image boots for the first time.
    if (/^[0-9a-f]{32}$/.test(text.trim())) return text.trim();
  }
  return undefined;
}
