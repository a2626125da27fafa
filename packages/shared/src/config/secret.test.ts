import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from './secret.ts';

test('a secret shows itself nowhere but in reveal', () => {
  const secret = new Secret('hunter2');

  const shown = [
    [secret].join(''),
    JSON.stringify({ secret }),
    inspect({ deep: { secret } }),
    String(secret),
    JSON.stringify(Object.entries(secret)),
  ].join(' ');

  expect(shown).not.toContain('hunter2');
  expect(secret.reveal()).toBe('hunter2');
});
