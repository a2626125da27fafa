import type { DeclaredScaleSet } from './core/check-scale-sets.ts';
import { type Change, planApply } from './core/plan-apply.ts';
import { Refusal } from './failure.ts';
import { finishDeletion } from './finish-deletion.ts';
import { readSpecs } from './read-records.ts';
import type { Stores } from './stores.ts';
import { tellChanged } from './tell-changed.ts';

/** One element of `baton apply -o json`. */
export interface AppliedScaleSet {
  name: string;
  scaleSetId: string;
  /** `deleting`: its deletion has begun. `deleted`: it has ended. */
  action: 'created' | 'updated' | 'unchanged' | 'deleting' | 'deleted';
  /** What was updated. */
  fields: string[];
}

interface ApplyOptions {
  prune: boolean;
  dryRun: boolean;
}

const maxAttempts = 5;

/**
 * Makes the bucket say what the file says. Nothing is written unless all of it can be; each write
 * is a compare-and-set, and when one loses, everything is decided again.
 */
export async function applyScaleSets(
  stores: Stores,
  declared: readonly DeclaredScaleSet[],
  { prune, dryRun }: ApplyOptions,
): Promise<AppliedScaleSet[]> {
  const { installationId, clock } = stores;
  const done = new Map<string, AppliedScaleSet>();
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const existing = await readSpecs(stores);
    const nowMs = clock.now();
    const { changes, problems } = planApply({ declared, existing, prune, installationId, nowMs });
    if (problems.length > 0) throw new Refusal(['nothing was applied:', ...problems].join('\n  '));
    if (dryRun) return changes.map((change) => resultOf(change));
    if (await carryOutAll(stores, changes, done)) return [...done.values()];
  }
  throw new Refusal('the scale sets are changed by others all the time: apply again');
}

/** Adds what was done to `done`; returns false when a write lost and all must be decided again. */
async function carryOutAll(
  stores: Stores,
  changes: readonly Change[],
  done: Map<string, AppliedScaleSet>,
): Promise<boolean> {
  let allWon = true;
  for (const change of changes) {
    const result = await carryOut(stores, change);
    if (!result) allWon = false;
    // On a second attempt, what the first one did reads as unchanged.
    else if (result.action !== 'unchanged' || !done.has(result.name)) done.set(result.name, result);
  }
  return allWon;
}

/** Returns undefined when somebody else changed the spec first. */
async function carryOut(stores: Stores, change: Change): Promise<AppliedScaleSet | undefined> {
  const { scaleSetId } = change.spec;
  if (change.action === 'being deleted') {
    const spec = await stores.specs.get(scaleSetId);
    const ended = !spec || (await finishDeletion(stores, spec)).length === 0;
    return { ...resultOf(change), action: ended ? 'deleted' : 'deleting' };
  }
  if (change.action !== 'unchanged') {
    const revision =
      change.action === 'created'
        ? await stores.specs.create(scaleSetId, change.spec)
        : await stores.specs.update(scaleSetId, change.spec, change.revision);
    if (revision === undefined) return undefined;
    const told = change.action === 'updated' ? { text: change.fields.join(', ') } : {};
    await tellChanged(stores, scaleSetId, { what: change.action, ...told });
  }
  return resultOf(change);
}

function resultOf(change: Change): AppliedScaleSet {
  return {
    name: change.spec.declaration.name,
    scaleSetId: change.spec.scaleSetId,
    action: change.action === 'being deleted' ? 'deleting' : change.action,
    fields: change.action === 'updated' ? change.fields : [],
  };
}
