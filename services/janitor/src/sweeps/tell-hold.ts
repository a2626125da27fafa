import { eventSubject, type SweepEvent, type SweepHold } from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import type { SweepPart } from './parts.ts';

interface TellDeps {
  publisher: Publisher;
  clock: Clock;
  log: Logger;
  instance: string;
}

/**
 * Says that a sweep is held, or is not any more; once for each hold. Best effort: the state record and
 * the gauge say so for as long as it lasts.
 */
export async function tellHold(
  deps: TellDeps,
  { sweep: { name: sweep }, hostId }: SweepPart,
  { before, now }: { before: SweepHold | undefined; now: SweepHold | undefined },
): Promise<void> {
  if (before?.id === now?.id) return;
  const { publisher, clock, log, instance } = deps;
  if (now) {
    const { id: holdId, count, of, text } = now;
    const confirm = `baton sweep confirm ${sweep}${hostId === undefined ? '' : ` --host ${hostId}`}`;
    log.error({ sweep, hostId, holdId, count, of, confirm, text }, 'sweep is held');
  } else log.info({ sweep, hostId, holdId: before?.id }, 'sweep is held no more');
  const hold = now ?? before;
  if (!hold) return;
  const what = now ? 'held' : 'released';
  const event: SweepEvent = {
    ...{
      v: 1,
      type: `sweep.${what}`,
      scaleSetId: 'all',
      at: isoNow(clock),
      by: `janitor ${instance}`,
    },
    ...{ sweep, hostId, holdId: hold.id, count: hold.count, of: hold.of, text: hold.text },
  };
  await publisher
    .publishOnce(eventSubject('janitor', 'all', 'sweep', what), event, {
      messageId: `${what}-${hold.id}`,
    })
    .catch((err: unknown) => log.warn({ sweep, err }, 'hold could not be told'));
}
