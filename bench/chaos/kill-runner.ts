import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalStack } from '@baton/stack';

/** SIGKILL to the processes of a runner, as though the host had ended them. Those that are over are left alone. */
export async function killRunner(stack: LocalStack, name: string): Promise<void> {
  const instance = (await stack.instances()).find(({ runnerName }) => runnerName === name);
  if (instance?.state !== 'running') return;
  const file = join(stack.dir, 'instances', 'local', instance.runnerId, 'pid');
  const [leader] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
  const group = Number(leader);
  if (!(group > 1)) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (!String(error).includes('ESRCH')) throw error;
  }
}
