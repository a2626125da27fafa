import { expect, test } from 'vitest';
import { leftovers, type Rest } from './leftovers.ts';

const counts = { queued: 0, available: 0, assigned: 0, running: 0, failed: 0, canceled: 0 };
const rest: Rest = {
  books: {
    jobs: { ...counts, completed: 7, total: 7 },
    registrations: [],
    duplicateRunners: 0,
  },
  instances: 0,
  keys: { 'baton-runners': { values: 0, deleted: 0 }, 'baton-plans': { values: 3, deleted: 1 } },
  jetStream: {
    lag: { 'create-commands': 0 },
    streams: {
      BATON_EVENTS: { messages: 60, mb: 1 },
      BATON_COMMANDS: { messages: 0, mb: 0 },
      BATON_DEAD: { messages: 0, mb: 0 },
    },
  },
};

test('facts and the keys of scale sets are nothing that is left over', () => {
  expect(leftovers(rest)).toEqual([]);
});

test.each<[string, Partial<Rest>]>([
  [
    '2 jobs are not completed',
    { books: { ...rest.books, jobs: { ...counts, completed: 5, failed: 2, total: 7 } } },
  ],
  ['1 runners came online for nothing', { books: { ...rest.books, duplicateRunners: 1 } }],
  ['1 registrations are left over', { books: { ...rest.books, registrations: ['set-1-a'] } }],
  ['3 instances are left over', { instances: 3 }],
  [
    '4 values are left over in baton-runners',
    { keys: { 'baton-runners': { values: 4, deleted: 0 } } },
  ],
  [
    '5 marks of deleted keys are left over in baton-jit',
    { keys: { 'baton-jit': { values: 0, deleted: 5 } } },
  ],
  [
    '6 messages are left over in BATON_DEAD',
    { jetStream: { ...rest.jetStream, streams: { BATON_DEAD: { messages: 6, mb: 0 } } } },
  ],
  [
    '7 messages wait for create-commands',
    { jetStream: { ...rest.jetStream, lag: { 'create-commands': 7 } } },
  ],
])('%s', (text, change) => {
  expect(leftovers({ ...rest, ...change })).toEqual([text]);
});
