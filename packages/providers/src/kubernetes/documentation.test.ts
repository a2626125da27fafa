import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { kubernetesDefinitionSchema } from './definition.ts';
import { readSettings } from './read-settings.ts';

const page = new URL('../../../../docs/providers/kubernetes.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].flatMap(([, block = '']) =>
  block.split(/^---$/m).map((document): unknown => parse(document)),
);
const providersSchema = z.object({ providers: z.object({ pods: kubernetesDefinitionSchema }) });
const scaleSetsSchema = z.object({
  scaleSets: z.tuple([z.object({ name: z.string(), settings: z.unknown() })]),
});
const scaleSets = examples.flatMap(
  (example) => scaleSetsSchema.safeParse(example).data?.scaleSets ?? [],
);

/** First words of the rows of the table under a heading of its first column. */
function rows(heading: string): string[] {
  const [, table = ''] = text.split(new RegExp(`^\\| ${heading} +\\|.*$`, 'm'));
  const lines = table.trimStart().split('\n\n')[0]?.split('\n').slice(1) ?? [];
  return lines.map((line) => /`([^`]+)`/.exec(line)?.[1] ?? '');
}

describe('the page on the kubernetes provider', () => {
  test('has an example that can be used', () => {
    const found = examples.filter((example) => providersSchema.safeParse(example).success);

    expect(found).toHaveLength(1);
  });

  test('names every key of the definition, and no other', () => {
    const { type: _type, ...shape } = kubernetesDefinitionSchema.shape;
    const { allow } = shape;

    expect(rows('key')).toEqual(Object.keys(shape).sort(byOrderOf(rows('key'))));
    expect(rows('key under `allow`')).toEqual(Object.keys(allow.unwrap().shape));
  });

  test('has an example of a scale set for every way to run jobs', () => {
    expect(scaleSets.map(({ name }) => name)).toEqual(['linux', 'docker', 'hooks']);
  });

  test.each(scaleSets)('has an example $name that can be used', ({ settings }) => {
    const definition = kubernetesDefinitionSchema.parse({
      type: 'kubernetes',
      namespace: 'runners',
      allow: { containerModes: ['dind', 'kubernetes'], serviceAccounts: ['runner-hooks'] },
    });

    expect(() => readSettings(settings, definition)).not.toThrow();
  });
});

function byOrderOf(names: string[]): (a: string, b: string) => number {
  return (a, b) => names.indexOf(a) - names.indexOf(b);
}
