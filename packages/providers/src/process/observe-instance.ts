import type { Clock } from '@baton/shared/time';
import type { Instance } from '../provider.ts';
import { hasErrno } from './errno.ts';
import { findProblem } from './find-problem.ts';
import { type InstanceTags, readExit, readLaunch, readTags } from './instance-folder.ts';
import { isGroupRunning } from './process-group.ts';

/** A wrapper that has not shown itself after this long never will: its creator died. */
const launchGraceMs = 5000;

type Observation = Pick<Instance, 'state' | 'exitCode' | 'exitedAt' | 'problem'>;

/** The instance in a folder; `undefined` if it is (being) taken away. */
export async function observeInstance(folder: string, clock: Clock): Promise<Instance | undefined> {
  try {
    const tags = await readTags(folder);
    if (!tags) return undefined;
    const observation = await observe(folder, tags, clock);
    // A folder that was renamed away while we looked shows no files, which is not its state.
    if (!(await readTags(folder))) return undefined;
    const { runnerId, runnerName, scaleSetId, generation, createdAt } = tags;
    const base = { instanceId: runnerId, runnerId, runnerName, scaleSetId, generation, createdAt };
    return { ...base, ...observation };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Looks for the exit file once more after the process is gone: it may have come in between. */
async function observe(folder: string, tags: InstanceTags, clock: Clock): Promise<Observation> {
  const exit = await readExit(folder);
  if (exit) return { state: 'exited', ...exit, ...(await problemOf(folder, tags, exit.exitCode)) };
  const launch = await readLaunch(folder, tags.runnerId);
  if (launch === 'over') return { state: 'exited' };
  if (launch === 'pending') {
    const ageMs = clock.now() - Date.parse(tags.createdAt);
    return { state: ageMs < launchGraceMs ? 'starting' : 'exited' };
  }
  if (await isGroupRunning(launch)) return { state: 'running' };
  const last = await readExit(folder);
  const problem = last && (await problemOf(folder, tags, last.exitCode));
  return { state: 'exited', ...last, ...problem };
}

async function problemOf(folder: string, tags: InstanceTags, exitCode: number) {
  const problem = await findProblem(folder, tags.cgroups, exitCode);
  return problem ? { problem } : {};
}
