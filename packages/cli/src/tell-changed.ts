import { eventSubject, type SpecEvent } from '@baton/shared/contracts';
import { Publisher } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { isoNow } from '@baton/shared/time';
import type { Stores } from './stores.ts';

/**
 * Wakes those who look after a scale set whose spec was written, and has an event say who wrote it. Best
 * effort: the spec itself is what counts.
 */
export async function tellChanged(
  { nats, hints, operator: by, clock }: Stores,
  scaleSetId: string,
  change: Pick<SpecEvent, 'what' | 'text'>,
): Promise<void> {
  hints.send('spec', scaleSetId);
  const type = 'scale-set.changed';
  const event: SpecEvent = { v: 1, type, scaleSetId, at: isoNow(clock), by, ...change };
  const subject = eventSubject('cli', scaleSetId, 'scale-set', 'changed');
  await new Publisher(nats, silentLogger()).publishOnce(subject, event).catch(() => undefined);
}
