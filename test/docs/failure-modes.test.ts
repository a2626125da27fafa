import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(`${root}docs/failure-modes.md`, 'utf8');

/** Every file that a cell names, with the names of tests behind it. */
const cited = [...text.matchAll(/`([^`]+\.test\.ts)`((?:[:;] "[^"]+")*)/g)].map(
  ([, file = '', names = '']) => ({
    file,
    names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
  }),
);

test('the list of failure modes names tests', () => {
  expect(cited.length).toBeGreaterThan(40);
});

test.each(cited)('$file has the tests that the list of failure modes names', ({ file, names }) => {
  const source = readFileSync(root + file, 'utf8');

  expect(names.filter((name) => !source.includes(name))).toEqual([]);
});
