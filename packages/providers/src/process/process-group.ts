import type { Clock } from '@baton/shared/time';
import { ProviderError } from '../provider-error.ts';
import { hasErrno } from './errno.ts';
import { type ProcessIdentity, readGroup, readProcess, wasStartedWith } from './proc.ts';

/** The processes of one instance: a group, founded by the wrapper script. */
export interface ProcessGroup {
  leader: ProcessIdentity;
  /** `NAME=value` in the environment of its members. */
  marker: string;
}

interface StopOptions {
  clock: Clock;
  /** How long the group may take after SIGTERM, in ms. */
  stopTimeoutMs: number;
  signal: AbortSignal;
}

const killWaitMs = 5000;
const pollMs = 20;

/**
 * Whether anything of the group still runs. While its leader lives, pid and start time prove that
 * the group is ours; afterwards a member that carries our marker does. `isProven` says that the
 * caller has had that proof: a group id is not given away while the group has members.
 */
export async function isGroupRunning(
  { leader, marker }: ProcessGroup,
  isProven = false,
): Promise<boolean> {
  const found = await readProcess(leader.pid);
  if (found && found.startTicks !== leader.startTicks) return false;
  if (found?.isRunning) return true;
  if (!signalGroup(leader.pid, 0)) return false;
  const members = await readGroup(leader.pid);
  if (isProven) return members.length > 0;
  const marked = await Promise.all(members.map(({ pid }) => wasStartedWith(pid, marker)));
  return marked.includes(true);
}

/** Ends the group: SIGTERM, time to finish, SIGKILL. Nothing of it runs once this resolves. */
export async function stopGroup(group: ProcessGroup, options: StopOptions): Promise<void> {
  if (!(await isGroupRunning(group))) return;
  signalGroup(group.leader.pid, 'SIGTERM');
  if (await hasEnded(group, options.stopTimeoutMs, options)) return;
  signalGroup(group.leader.pid, 'SIGKILL');
  if (await hasEnded(group, killWaitMs, options)) return;
  throw new ProviderError('transient', 'a process does not end although it was killed', {
    details: { pid: group.leader.pid },
  });
}

/** Waits for the end of the group, at most `timeoutMs`. The last look is a fresh one. */
async function hasEnded(
  group: ProcessGroup,
  timeoutMs: number,
  { clock, signal }: StopOptions,
): Promise<boolean> {
  const deadline = clock.monotonic() + timeoutMs;
  while (await isGroupRunning(group, true)) {
    if (clock.monotonic() >= deadline) return false;
    await clock.sleep(pollMs, signal);
  }
  return true;
}

/** Signals every process of the group; `false` if it has none. Signal 0 only asks. */
function signalGroup(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, name);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ESRCH')) return false;
    if (hasErrno(error, 'EPERM')) return true;
    throw error;
  }
}
