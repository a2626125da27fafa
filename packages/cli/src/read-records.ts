import { listScaleSetIds } from '@baton/shared/stores';
import { findNearest } from './core/nearest.ts';
import type { ScaleSetRecords } from './core/scale-set-view.ts';
import { Refusal } from './failure.ts';
import type { Stores } from './stores.ts';

/** All specs, by name. */
export async function readSpecs({ specs }: Stores) {
  const entries = await specs.getMany(await listScaleSetIds(specs));
  return entries.sort((a, b) => (a.value.declaration.name < b.value.declaration.name ? -1 : 1));
}

/** The spec of the scale set with this name or internal id; undefined when there is none. */
export async function lookUpSpec(stores: Stores, name: string) {
  const entries = await readSpecs(stores);
  const found =
    entries.find(({ value }) => value.declaration.name === name) ??
    entries.find(({ key }) => key === name);
  return { found, names: entries.map(({ value }) => value.declaration.name) };
}

/** @throws Refusal with the nearest names when there is no such scale set. */
export async function findSpec(stores: Stores, name: string) {
  const { found, names } = await lookUpSpec(stores, name);
  if (!found) throw unknownScaleSet(name, names);
  return found;
}

export function unknownScaleSet(name: string, names: readonly string[]): Refusal {
  const near = findNearest(name, names).map((candidate) => `"${candidate}"`);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'see "baton get scalesets"';
  return new Refusal(`there is no scale set "${name}": ${hint}`);
}

/** The records of all scale sets, by name. */
export async function readScaleSets(stores: Stores): Promise<ScaleSetRecords[]> {
  const specs = await readSpecs(stores);
  const ids = specs.map(({ key }) => key);
  const [statuses, sessions, plans] = await Promise.all([
    stores.statuses.getMany(ids),
    stores.sessions.getMany(ids),
    stores.plans.getMany(ids),
  ]);
  const byKey = <T>(entries: readonly { key: string; value: T }[]) =>
    new Map(entries.map(({ key, value }) => [key, value]));
  const [status, session, plan] = [byKey(statuses), byKey(sessions), byKey(plans)];
  return specs.map(({ key, value }) => ({
    spec: value,
    status: status.get(key),
    session: session.get(key),
    plan: plan.get(key),
  }));
}
