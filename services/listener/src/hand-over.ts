import type { StatusStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';

interface HandOverDeps {
  statuses: StatusStore;
  clock: Clock;
}

interface GivenUp {
  scaleSetId: string;
  /** The epoch under which it was held. */
  epoch: number;
  signal: AbortSignal;
}

const lookEveryMs = 50;
/** A successor that takes longer has trouble of its own; the next scale set need not wait for it. */
const patienceMs = 1_500;

/**
 * Waits until another listener polls a scale set that was given up, so that those that move come one
 * by one and none waits for many others at the successor. Whether one does. Never rejects, and proves
 * nothing.
 */
export async function awaitSuccessor(
  { statuses, clock }: HandOverDeps,
  { scaleSetId, epoch, signal }: GivenUp,
): Promise<boolean> {
  const giveUpAt = clock.monotonic() + patienceMs;
  try {
    while (clock.monotonic() < giveUpAt) {
      const status = (await statuses.get(scaleSetId))?.value;
      if (status && status.epoch > epoch && status.state === 'polling') return true;
      await clock.sleep(lookEveryMs, signal);
    }
  } catch {
    // Stopped, or NATS is away: there is nothing to wait for.
  }
  return false;
}
