import { expect, test } from 'vitest';
import { checkScaleSets } from './check-scale-sets.ts';

const entry = { configUrl: 'https://github.com/acme', credential: 'main', provider: 'local' };

test('refuses two names that have one internal id', () => {
  const content = {
    scaleSets: [
      { ...entry, name: 'one' },
      { ...entry, name: 'two' },
    ],
  };

  const checked = checkScaleSets(content, () => 'same');

  expect(checked).toEqual({
    kind: 'refused',
    problems: [
      {
        path: ['scaleSets', 1, 'name'],
        message: '"two" and "one" (scaleSets[0]) have the same internal id "same": rename one',
      },
    ],
  });
});

test.each([
  'https://github.com/acme',
  'https://github.com/acme/app',
  'https://github.com/enterprises/acme',
  'http://127.0.0.1:8080/acme',
])('accepts %s', (configUrl) => {
  expect(checkScaleSets({ scaleSets: [{ ...entry, name: 'a', configUrl }] }).kind).toBe('ok');
});

test.each([
  'https://github.com',
  'http://github.com/acme',
  'https://github.com/enterprises',
  'https://user:pw@github.com/acme',
  'ftp://github.com/acme',
])('refuses %s once', (configUrl) => {
  const checked = checkScaleSets({ scaleSets: [{ ...entry, name: 'a', configUrl }] });

  expect(checked.kind === 'refused' && checked.problems).toMatchObject([
    { path: ['scaleSets', 0, 'configUrl'] },
  ]);
  expect(JSON.stringify(checked)).not.toContain('pw');
});

test('keeps the message of what the schema refuses', () => {
  const content = { scaleSets: [{ ...entry, name: 'a b', maxRunners: 20_000, minRunners: '1' }] };

  const checked = checkScaleSets(content);

  expect(checked.kind === 'refused' && checked.problems.map(({ path }) => path.at(-1))).toEqual([
    'name',
    'minRunners',
    'maxRunners',
  ]);
});
