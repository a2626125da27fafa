import type { Spec } from '@baton/shared/contracts';
import type { Entry, KvBucket } from '@baton/shared/messaging';
import type { z } from 'zod';
import { findObstacles } from './core/find-obstacles.ts';
import { Refusal } from './failure.ts';
import type { Stores } from './stores.ts';
import { tellChanged } from './tell-changed.ts';

const maxAttempts = 5;

/**
 * Removes the records of a scale set whose deletion has come to its end. The spec goes first: no
 * service makes a record for a scale set without one. Returns what still stands in the way; then
 * nothing was removed. Safe to repeat.
 */
export async function finishDeletion(stores: Stores, spec: Entry<Spec>): Promise<string[]> {
  const { key } = spec;
  const [status, session, runners] = await Promise.all([
    stores.statuses.get(key),
    stores.sessions.get(key),
    stores.runners.list(key),
  ]);
  const obstacles = findObstacles({
    spec,
    status,
    session: session?.value,
    runners: runners.map(({ value }) => value),
  });
  if (obstacles.length > 0) return obstacles;
  if (!(await stores.specs.delete(key, spec.revision))) return ['its spec was changed meanwhile'];
  await tellChanged(stores, key, { what: 'deleted' });
  await removeLeftovers(stores, key);
  return [];
}

/**
 * Removes what a scale set without spec has left; false when there was nothing.
 * @throws Refusal when the session record still names a session: it alone proves that it is ours.
 */
export async function removeLeftovers(stores: Stores, scaleSetId: string): Promise<boolean> {
  const session = await stores.sessions.get(scaleSetId);
  if (session?.value.session) {
    throw new Refusal(
      `scale set "${scaleSetId}" has no spec, but its session is still recorded: apply it again, then delete it`,
    );
  }
  const removed = [
    await removeRecord(stores.plans, scaleSetId),
    await removeRecord(stores.sessions, scaleSetId),
    await removeRecord(stores.registrations, scaleSetId),
    await removeRecord(stores.statuses, scaleSetId),
  ];
  return removed.includes(true);
}

async function removeRecord<S extends z.ZodType>(
  bucket: KvBucket<S>,
  key: string,
): Promise<boolean> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const entry = await bucket.get(key);
    if (!entry) return attempt > 0;
    if (await bucket.delete(key, entry.revision)) return true;
  }
  throw new Refusal(`a record of ${key} is written all the time: try again`);
}
