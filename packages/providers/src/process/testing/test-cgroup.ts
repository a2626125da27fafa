import { randomUUID } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { ConfigError } from '@baton/shared/errors';
import { systemClock } from '@baton/shared/time';
import type { Limits } from '../cgroup/limits.ts';
import { verifyCgroups } from '../cgroup/verify-cgroups.ts';

export const testLimits = { memoryBytes: 32 * 2 ** 20, cpus: 0.5, pids: 20 } satisfies Limits;

/** A folder of cgroups in every tree that the test limits need. */
export interface TestCgroup {
  /** As a definition names it. */
  cgroup: string;
  folders: string[];
  dispose(): Promise<void>;
}

/**
 * Below the cgroup of this process, or at the top; `undefined` on a host, or for a user, where no
 * cgroup can be made: there a test can only show that this is said.
 */
export async function aTestCgroup(): Promise<TestCgroup | undefined> {
  const name = `baton-test-${randomUUID().slice(0, 8)}`;
  for (const cgroup of [name, `/${name}`]) {
    try {
      const hierarchies = await verifyCgroups(cgroup, testLimits, systemClock);
      const folders = hierarchies.map(({ base }) => base);
      const dispose = async () => {
        for (const folder of folders) await rmdir(folder);
      };
      return { cgroup, folders, dispose };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }
  return undefined;
}
