import { readFileSync } from 'node:fs';
import { scaleSetDeclarationSchema } from '@baton/shared/contracts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { dockerDefinitionSchema } from './definition.ts';
import { resolveSettings, settingsSchema } from './settings.ts';

const page = new URL('../../../../docs/providers/docker.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const [providersFile = '', scaleSetFile = ''] = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(
  ([, block = '']) => block,
);

test('the files of docs/providers/docker.md go together', () => {
  const { providers } = z
    .strictObject({ providers: z.strictObject({ docker: dockerDefinitionSchema }) })
    .parse(parse(providersFile));
  const { scaleSets } = z
    .strictObject({ scaleSets: z.array(scaleSetDeclarationSchema) })
    .parse(parse(scaleSetFile));

  expect(scaleSets).toMatchObject([{ provider: 'docker' }]);
  for (const { settings } of scaleSets) {
    expect(resolveSettings(providers.docker, settings)).toMatchObject(settings);
  }
});

/** The rows of the first table after the heading: key to default. */
function rowsAfter(heading: string): Map<string, string> {
  const [, rest = ''] = text.split(heading);
  const [table = ''] = /(^\|.*\|\n)+/m.exec(rest) ?? [];
  const rows = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(rows.map(([, key = '', , value = '']) => [key.replaceAll('`', ''), value]));
}

const definition = dockerDefinitionSchema.parse({ type: 'docker', dind: {} });

test.each([
  ['## What the operator sets', Object.keys(dockerDefinitionSchema.shape), definition],
  ['Fields of `dind`:', Object.keys(definition.dind ?? {}), definition.dind ?? {}],
  ['## What a scale set sets', Object.keys(settingsSchema.shape), {}],
])('the table under "%s" has every field, with its default', (heading, keys, defaults) => {
  const rows = rowsAfter(heading);

  for (const key of keys.filter((name) => name !== 'type')) expect(rows.has(key), key).toBe(true);
  for (const [key, value] of Object.entries(defaults)) {
    if (typeof value === 'number') expect(rows.get(key)).toBe(value.toLocaleString('en-US'));
    if (typeof value === 'string' && key !== 'type') expect(rows.get(key)).toBe(`\`${value}\``);
    if (Array.isArray(value))
      expect(parse(rows.get(key)?.replaceAll('`', '') ?? '')).toEqual(value);
  }
});
