import { isDeepStrictEqual } from 'node:util';
import { parseConfigUrl } from '@baton/scaleset';
import {
  generationOf,
  type ScaleSetDeclaration,
  type Spec,
  scaleSetDeclarationSchema,
  scaleSetIdOf,
} from '@baton/shared/contracts';
import type { Entry } from '@baton/shared/messaging';
import type { DeclaredScaleSet } from './check-scale-sets.ts';

/** What applying a file does to one scale set. */
export type Change =
  | { action: 'created'; spec: Spec }
  | { action: 'updated'; spec: Spec; revision: number; fields: string[] }
  | { action: 'unchanged'; spec: Spec }
  /** Not in the file, and pruned: its deletion begins. */
  | { action: 'deleting'; spec: Spec; revision: number }
  /** Not in the file, and its deletion has begun before. */
  | { action: 'being deleted'; spec: Spec };

interface ApplyInput {
  declared: readonly DeclaredScaleSet[];
  existing: readonly Entry<Spec>[];
  prune: boolean;
  installationId: string;
  nowMs: number;
}

/** Decides what to write, or why nothing may be written. Pure. */
export function planApply(input: ApplyInput): { changes: Change[]; problems: string[] } {
  const { declared, existing, prune, nowMs } = input;
  const known = new Map(existing.map((entry) => [entry.key, entry]));
  const problems: string[] = [];
  const changes: Change[] = [];
  for (const scaleSet of declared) {
    const before = known.get(scaleSetIdOf(scaleSet.declaration.name));
    const problem = before && findProblem(before.value, scaleSet.declaration);
    if (problem) problems.push(problem);
    else changes.push(before ? planUpdate(scaleSet, before, nowMs) : planCreate(scaleSet, input));
  }
  if (prune) changes.push(...planPrune(declared, existing, nowMs));
  return { changes, problems };
}

/** A changed spec: its `updatedAt` always moves, because services know a new version by it. */
export function changedSpec(before: Spec, change: Partial<Spec>, nowMs: number): Spec {
  const at = Math.max(nowMs, Date.parse(before.updatedAt) + 1);
  return { ...before, ...change, updatedAt: new Date(at).toISOString() };
}

function findProblem(before: Spec, { name, configUrl }: ScaleSetDeclaration): string | undefined {
  if (before.deleting) {
    return `scale set "${name}" is being deleted: run "baton delete scaleset ${name}" to wait for the end, then apply again`;
  }
  if (before.declaration.name !== name) {
    return `scale set "${name}" has the internal id of "${before.declaration.name}", which exists: rename it`;
  }
  if (placeOf(before.declaration.configUrl) !== placeOf(configUrl)) {
    return `scale set "${name}" is registered at ${before.declaration.configUrl} and cannot move to ${configUrl}: delete it first, or choose another name`;
  }
  return undefined;
}

/** Two URLs of the same organization, repository or enterprise give the same text. */
function placeOf(configUrl: string): string {
  return parseConfigUrl(configUrl)
    .url.replace('://www.github.com/', '://github.com/')
    .toLowerCase();
}

function planCreate({ declaration }: DeclaredScaleSet, input: ApplyInput): Change {
  const spec: Spec = {
    v: 1,
    installationId: input.installationId,
    scaleSetId: scaleSetIdOf(declaration.name),
    declaration,
    generation: generationOf(declaration),
    deleting: false,
    updatedAt: new Date(input.nowMs).toISOString(),
  };
  return { action: 'created', spec };
}

function planUpdate(
  { declaration, saysEnabled }: DeclaredScaleSet,
  before: Entry<Spec>,
  nowMs: number,
): Change {
  const old = before.value;
  const wanted = {
    ...unknownFields(old.declaration),
    ...declaration,
    enabled: saysEnabled ? declaration.enabled : old.declaration.enabled,
  };
  const generation = generationOf(declaration);
  const fields = changedFields(old.declaration, wanted);
  if (fields.length === 0 && generation !== old.generation) fields.push('generation');
  if (fields.length === 0) return { action: 'unchanged', spec: old };
  const spec = changedSpec(old, { declaration: wanted, generation }, nowMs);
  return { action: 'updated', spec, revision: before.revision, fields };
}

function planPrune(
  declared: readonly DeclaredScaleSet[],
  existing: readonly Entry<Spec>[],
  nowMs: number,
): Change[] {
  const kept = new Set(declared.map(({ declaration }) => scaleSetIdOf(declaration.name)));
  return existing
    .filter(({ key }) => !kept.has(key))
    .map(({ value, revision }) =>
      value.deleting
        ? { action: 'being deleted', spec: value }
        : { action: 'deleting', spec: changedSpec(value, { deleting: true }, nowMs), revision },
    );
}

/** What a newer version of Baton wrote survives. */
function unknownFields(declaration: Spec['declaration']): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(declaration).filter(([key]) => !(key in scaleSetDeclarationSchema.shape)),
  );
}

function changedFields(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key])).sort();
}
