import { expect, test } from 'vitest';
import { soakTable } from './table.ts';

const flat = { first: 1, last: 2, most: 3, slopePerHour: 0.5 };
const report = {
  minutes: 60,
  jobs: 10_800,
  completed: 10_800,
  books: [],
  processes: { 'listener-0': { rssMb: flat, handles: flat, threads: flat } },
  lag: { 'create-commands': { p99: 1, most: 4 } },
  streams: { BATON_DEAD: { messages: flat, mb: flat, limitMb: 536.9 } },
  buckets: { 'baton-runners': { messages: flat, mb: flat } },
  storeMb: { ...flat, limitMb: 3_221, besidesFacts: flat },
  keysAtRest: { 'baton-runners': { values: 7, deleted: 8 } },
  grew: [],
  left: [],
};

test('each figure has its line, and a bucket what its keys hold at the end', () => {
  const lines = soakTable(report).split('\n');

  expect(lines).toContainEqual(expect.stringMatching(/^listener-0: resident MB +1 +2 +3 +0\.5$/));
  expect(lines).toContainEqual(expect.stringMatching(/^baton-runners: keys +1 +2 +3 +0\.5 +7, 8$/));
  expect(lines).toContainEqual(expect.stringMatching(/^create-commands +1 +4$/));
});

test('the verdict comes last', () => {
  const last = (change: object) => soakTable({ ...report, ...change }).split('\n');

  expect(last({}).at(-1)).toBe('verdict: nothing grows, and nothing is left');
  expect(last({ grew: ['rssMb of nats'], left: ['1 jobs'], logs: '/tmp/x' }).slice(-3)).toEqual([
    'GREW: rssMb of nats',
    'LEFT: 1 jobs',
    'verdict: 1 of what was watched grew, 1 kinds of things are left; logs: /tmp/x',
  ]);
});
