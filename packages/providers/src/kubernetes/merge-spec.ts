import { type PodSpec, podSpecSchema } from './template.ts';

/** Lists whose elements have a name, and whose elements of the same name replace one another. */
const replacedByName = new Set(['env', 'imagePullSecrets', 'volumes']);
/** Lists whose elements of the same name are merged. */
const mergedByName = new Set(['containers', 'initContainers']);

/**
 * Lays one pod spec over another: objects are merged, containers by name, lists of other named things
 * (variables, volumes, mounts by their path) gain or replace elements; any other list and value
 * replaces the one below. Pure.
 */
export function mergeSpec(below: PodSpec, above: PodSpec): PodSpec {
  return podSpecSchema.parse(merge('', below, above));
}

function merge(key: string, below: unknown, above: unknown): unknown {
  if (isObject(below) && isObject(above)) {
    const merged: Record<string, unknown> = { ...below };
    for (const [name, value] of Object.entries(above))
      merged[name] = name in below ? merge(name, below[name], value) : value;
    return merged;
  }
  if (!isObjects(below) || !isObjects(above)) return above;
  if (mergedByName.has(key)) return join(below, above, 'name', (a, b) => merge('', a, b));
  if (replacedByName.has(key)) return join(below, above, 'name', (_a, b) => b);
  if (key === 'volumeMounts') return join(below, above, 'mountPath', (_a, b) => b);
  return above;
}

type Item = Record<string, unknown>;

function join(
  below: Item[],
  above: Item[],
  by: string,
  both: (below: Item, above: Item) => unknown,
): unknown[] {
  const over = new Map(above.map((item) => [item[by], item]));
  const merged = below.map((item) => {
    const other = over.get(item[by]);
    return other ? both(item, other) : item;
  });
  const known = new Set(below.map((item) => item[by]));
  return [...merged, ...above.filter((item) => !known.has(item[by]))];
}

function isObject(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjects(value: unknown): value is Item[] {
  return Array.isArray(value) && value.every(isObject);
}
