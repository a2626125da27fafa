import type { CapacityWatch } from './capacity-watch.ts';
import { type CloseDeps, closeSession } from './close-session.ts';
import type { Holding } from './serve-session.ts';
import type { StatusReporter } from './status-reporter.ts';
import type { Wakeups } from './wakeups.ts';

interface WithdrawDeps extends CloseDeps {
  capacity: CapacityWatch;
  status: StatusReporter;
  specHints: Wakeups;
  /** Aborted when the scale set is to be given up. */
  stop: AbortSignal;
  /** Whether the scale set is still to be served. */
  wanted: () => boolean;
}

/**
 * Closes the session of a scale set that could run nothing for long, so that GitHub gives its jobs to
 * others. Keeps the lease, and resolves when a session is to be opened again, or is not wanted.
 */
export async function withdrawSession(deps: WithdrawDeps, holding: Holding): Promise<void> {
  const { capacity, status, specHints, stop, wanted } = deps;
  const { claim, lease } = holding;
  await closeSession(deps, holding);
  const reason = 'no capacity: the session is closed until the provider has room';
  status.enter('waiting', { epoch: claim.epoch, reason });
  await capacity.untilReturn(wanted, specHints, AbortSignal.any([lease.signal, stop]));
  lease.signal.throwIfAborted();
}
