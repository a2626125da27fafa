import type { RingEntry } from '@baton/shared/contracts';

interface ScaleSetIds {
  scaleSetId: string;
  githubScaleSetId: number;
}

/**
 * Names a message. Ids of messages start again for a new scale set and were seen to restart: the body
 * is part. Ids of scale sets are GitHub's, and two servers may give the same ones: ours is part. Pure.
 */
export function messageName(
  { scaleSetId, githubScaleSetId }: ScaleSetIds,
  { messageId, bodyHash }: RingEntry,
): string {
  return `${scaleSetId}-${githubScaleSetId}-${messageId}-${bodyHash}`;
}

/** `Nats-Msg-Id` of the fact that an entry of a message is, by its place from 0. Pure. */
export function factId(ids: ScaleSetIds, entry: RingEntry, place: number): string {
  return `fact-${messageName(ids, entry)}-${place}`;
}
