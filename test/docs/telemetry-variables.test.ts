import { readFileSync } from 'node:fs';
import { serviceVariables } from '@baton/shared/config';
import { expect, test } from 'vitest';

const text = readFileSync(new URL('../../docs/running.md', import.meta.url), 'utf8');
/** Each row may shorten the second of two names that begin alike. */
const rows = text.split('\n').filter((line) => line.startsWith('| `OTEL_'));

const ofTraces = Object.values(serviceVariables)
  .map(({ variable }) => variable)
  .filter((name) => name.startsWith('OTEL_') && !/METRIC/.test(name));

test.each(ofTraces)('%s has its row in the table of variables', (name) => {
  const isNamed = rows.some((row) => {
    const [first = '', ...others] = [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(
      ([, shown = '']) => shown,
    );
    if (first.endsWith('…')) return name.startsWith(first.slice(0, -1));
    return (
      name === first ||
      others.some(
        (other) => name === other || (other.startsWith('…') && name.endsWith(other.slice(1))),
      )
    );
  });

  expect(isNamed).toBe(true);
});
