import { once } from 'node:events';
import type { Runtime } from '@baton/shared/lifecycle';
import type { Nats } from '@baton/shared/messaging';

type AwayDeps = Pick<Runtime, 'clock' | 'log' | 'signal' | 'abort'> & {
  nats: Pick<Nats, 'awayForMs'>;
};

/** How long a listener that drains waits for NATS, in ms: a restart takes less. */
const patienceMs = 5_000;
const lookEveryMs = 250;

/**
 * Resolves when `work` does. While the process drains it does not wait for a NATS that stays away:
 * nothing can be handed over or written down, so it ends as though it were killed. That leaves what
 * the next one needs: sessions with their records, messages that GitHub has not deleted, and leases
 * that run out. Returns whether the work was done to its end.
 */
export async function unlessAway(deps: AwayDeps, work: Promise<void>): Promise<boolean> {
  const done = new AbortController();
  const over = work.finally(() => done.abort());
  await Promise.race([over, awayInDrain(deps, done.signal)]);
  const ended = done.signal.aborted;
  if (ended) await over;
  else over.catch(() => undefined);
  if (ended && deps.nats.awayForMs() === 0) return true;
  deps.log.warn(
    'nats is away: nothing was handed over, leases run out and sessions stay with their records',
  );
  return ended;
}

async function awayInDrain({ nats, clock, signal, abort }: AwayDeps, done: AbortSignal) {
  if (!signal.aborted) await once(signal, 'abort', { signal: done }).catch(() => undefined);
  while (!done.aborted) {
    const awayMs = nats.awayForMs();
    if (awayMs >= patienceMs || (awayMs > 0 && abort.aborted)) return;
    await clock.sleep(lookEveryMs, done).catch(() => undefined);
  }
}
