import type { Random } from '@baton/shared/retry';
import { type Clock, notNeeded } from '@baton/shared/time';
import type { CapacityWatch } from './capacity-watch.ts';
import { interruptAfterMs } from './core/poll-interruption.ts';

interface InterruptionDeps {
  capacity: CapacityWatch;
  clock: Clock;
  random: Random;
}

/** Is aborted when a poll that was made with `told` is to be made again; watches until `ended`. */
export function pollInterruption(
  { capacity, clock, random }: InterruptionDeps,
  told: number,
  ended: AbortSignal,
): AbortSignal {
  const interrupted = new AbortController();
  let waits = false;
  const look = (isDue: boolean) => {
    const afterMs = interruptAfterMs(told, capacity.current, random);
    if (afterMs === undefined) return;
    if (isDue || afterMs === 0) interrupted.abort(notNeeded);
    else if (!waits) {
      waits = true;
      void clock.sleep(afterMs, ended).then(
        () => {
          waits = false;
          look(true);
        },
        () => undefined,
      );
    }
  };
  ended.addEventListener(
    'abort',
    capacity.onChange(() => look(false)),
    { once: true },
  );
  return interrupted.signal;
}
