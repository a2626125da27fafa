import { expect, test } from 'vitest';
import { Traffic } from './traffic.ts';

test('counts the calls of each route, and how many were under way together at most', () => {
  const traffic = new Traffic();

  const first = traffic.begin('createSession');
  const second = traffic.begin('createSession');
  first();
  const third = traffic.begin('createSession');
  traffic.begin('getMessage');
  second();
  third();

  expect(traffic.report()).toEqual({
    createSession: { calls: 3, mostAtOnce: 2 },
    getMessage: { calls: 1, mostAtOnce: 1 },
  });
});
