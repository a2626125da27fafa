import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A metric as a source declares it. */
export interface DeclaredMetric {
  name: string;
  kind: 'counter' | 'gauge' | 'histogram';
  /** Of `Counter` and `Histogram`, whose type has them; undefined where only the values tell. */
  labels: string[] | undefined;
  file: string;
}

/** Every metric that a service may have, as the text of the sources declares it: its name is a literal. */
export function declaredMetrics(): DeclaredMetric[] {
  const files = globSync('{packages/shared,packages/scaleset,services/*}/src/**/*.ts', {
    cwd: root,
  });
  return files
    .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
    .flatMap((file) => declaredIn(file, readFileSync(root + file, 'utf8')));
}

const literal = /['"`]((?:baton|process)_[a-z0-9_]+)['"`]/g;
/** What stands before the name in `new Counter<'a' | 'b'>({ name: '…' })`. */
const construction = /new (Counter|Histogram)(?:<([^>]*)>)?\(\{\s*name:\s*$/;

function declaredIn(file: string, text: string): DeclaredMetric[] {
  return [...text.matchAll(literal)].map(({ 1: name = '', index, 0: whole }) => {
    const before = text.slice(0, index);
    const [, made, generic] = construction.exec(before) ?? [];
    const labels = made === undefined ? undefined : labelsOf(generic);
    if (made === 'Histogram') return { name, kind: 'histogram', labels, file };
    const isObject = /\bname:\s*$/.test(before);
    const rest = text.slice(index + whole.length).split('}', 1)[0] ?? '';
    const isCounter =
      made === 'Counter' ||
      (isObject && /kind: 'counter'/.test(before.slice(before.lastIndexOf('{')) + rest));
    return { name, kind: isCounter ? 'counter' : 'gauge', labels, file };
  });
}

function labelsOf(generic: string | undefined): string[] {
  return [...(generic ?? '').matchAll(/'([a-z_]+)'/g)].map(([, label = '']) => label).toSorted();
}
