import { isAborted } from '@baton/shared/time';
import type { DemandCounter } from './core/demand-counter.ts';
import { shouldWithdraw } from './core/withdrawal.ts';
import type { End, Holding, ServeDeps } from './serve-session.ts';

/** How often it is looked whether a drained scale set may go, in ms. */
const drainedEveryMs = 2_000;
/** How often it is looked whether the session should be withdrawn; a hint may be lost, in ms. */
const lookEveryMs = 30_000;

/** Carries the reason of a planned end through an abort signal. */
export class EndOfSession extends Error {
  readonly end: End;

  constructor(end: End) {
    super(`the session ends: ${end}`);
    this.end = end;
  }
}

/**
 * Aborts `ended` when the process drains, the spec asks for the end or there has been nothing to
 * run for long. Until `ended` or the lease is aborted.
 */
export async function watchForEnd(
  deps: ServeDeps,
  holding: Holding,
  demand: DemandCounter,
  ended: AbortController,
): Promise<void> {
  const { clock, specHints, stop, capacity } = deps;
  const signal = AbortSignal.any([holding.lease.signal, ended.signal]);
  const openedAt = clock.monotonic();
  const onStop = () => ended.abort(new EndOfSession('stopped'));
  stop.addEventListener('abort', onStop, { once: true });
  using ear = specHints.listen(deps.spec().scaleSetId);
  const stopListening = capacity.onChange(() => ear.wake());
  try {
    if (stop.aborted) onStop();
    while (!isAborted(signal)) {
      const end = deps.shouldEnd() ?? withdrawn(deps, demand, openedAt);
      if (end) ended.abort(new EndOfSession(end));
      await ear.wait({ clock, maxMs: nextLookMs(deps), signal });
    }
  } finally {
    stop.removeEventListener('abort', onStop);
    stopListening();
  }
}

function withdrawn(
  { capacity, clock, spec }: ServeDeps,
  demand: DemandCounter,
  openedAt: number,
): End | undefined {
  // A scale set that is drained goes its own way, and advertises 0 until then.
  if (spec().deleting) return undefined;
  const { emptyForMs, aliveCount } = capacity;
  const openForMs = clock.monotonic() - openedAt;
  const situation = { emptyForMs, openForMs, aliveCount, assigned: demand.current.assigned };
  return shouldWithdraw(situation, capacity.withdrawal) ? 'withdrawn' : undefined;
}

function nextLookMs({ spec, capacity }: ServeDeps): number {
  if (spec().deleting) return drainedEveryMs;
  const { emptyForMs, withdrawal } = capacity;
  // What keeps the session, runners and jobs, may go without a word.
  const laterMs = Math.min(lookEveryMs, withdrawal.emptyMs);
  const leftMs = emptyForMs === undefined ? laterMs : withdrawal.emptyMs - emptyForMs;
  return leftMs > 0 ? Math.min(laterMs, leftMs + 1) : laterMs;
}
