import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the stack's folder. Its logs are moved to `keepLogsIn` first, when that is given. */
export async function removeStackFolder(dir: string, keepLogsIn?: string): Promise<void> {
  if (keepLogsIn !== undefined) {
    await cp(join(dir, 'logs'), keepLogsIn, { recursive: true });
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}
