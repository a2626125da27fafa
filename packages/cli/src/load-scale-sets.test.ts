import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { afterAll, expect, test } from 'vitest';
import { loadScaleSets } from './load-scale-sets.ts';

const folder = mkdtempSync(join(tmpdir(), 'baton-file-'));
const path = join(folder, 'scalesets.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('tells all mistakes of a file at once, each with its path and line', () => {
  const message = messageFor(`scaleSets:
  - name: linux
    configUrl: https://github.com/acme
    credential: main
    provider: local
    maxRunner: 5
  - name: windows
    configUrl: https://github.com/acme/app/tree/main
    credential: main
    provider: local
    minRunners: 20
  - name: linux
    configUrl: not a url
    provider: local
`);

  expect(message.split('\n')).toEqual([
    `${path} has 6 problems:`,
    '  scaleSets[0].maxRunner: unknown key, did you mean "maxRunners"? (line 6)',
    expect.stringMatching(/^ {2}scaleSets\[1\]\.configUrl: .*names no organization.* \(line 8\)$/),
    '  scaleSets[1].minRunners: is 20, which is above maxRunners (10) (line 11)',
    '  scaleSets[2].credential: is required (line 12)',
    expect.stringMatching(
      /^ {2}scaleSets\[2\]\.configUrl: is not an http\(s\) URL: .* \(line 13\)$/,
    ),
    '  scaleSets[2].name: "linux" is declared already, in scaleSets[0] (line 12)',
  ]);
});

test('says where the YAML breaks, in one sentence', () => {
  const message = messageFor('scaleSets:\n  - name: "linux\n    group: a\n');

  expect(message).toMatch(/^\S+scalesets\.yaml, line \d+: .+$/);
});

test.each([
  ['', 'is empty: it needs a list "scaleSets"'],
  ['scaleSets: []\n', 'scaleSets: '],
  ['scaleSets:\n  name: linux\n', 'scaleSets: expected array, received object (line 2)'],
  ['linux: {}\n', 'linux: unknown key'],
  ['scaleSets: []\nscaleSets: []\n', 'line 2: Map keys must be unique'],
  ['a: &a [1]\nb: *c\n', 'Unresolved alias'],
])('refuses %j', (content, expected) => {
  expect(messageFor(content)).toContain(expected);
});

test('refuses a file that is not there', () => {
  expect(() => loadScaleSets(join(folder, 'none.yaml'))).toThrow(/cannot be read: ENOENT/);
});

test('fills in what a file leaves out, and knows whether it says enabled', () => {
  writeFileSync(
    path,
    `scaleSets:
  - { name: a, configUrl: https://github.com/acme, credential: main, provider: local }
  - { name: b, configUrl: https://github.com/acme, credential: main, provider: local, enabled: true }
`,
  );

  const declared = loadScaleSets(path);

  expect(declared.map(({ saysEnabled }) => saysEnabled)).toEqual([false, true]);
  expect(declared[0]?.declaration).toMatchObject({ minRunners: 0, maxRunners: 10, enabled: true });
});

function messageFor(content: string): string {
  writeFileSync(path, content);
  try {
    loadScaleSets(path);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the file was accepted');
}
