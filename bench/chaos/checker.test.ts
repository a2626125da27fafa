import type { JournalEntry } from '@baton/github-sim';
import { describe, expect, test } from 'vitest';
import { check } from './checker.ts';
import { evidence, gap, job, timing } from './testing/evidence.ts';

const aDrain = { name: 'janitor-0', exitCode: 0, fromMs: 0, toMs: 100 };

describe('counts', () => {
  test('jobs are completed, killed by us, or lost', () => {
    const jobs = [
      job('a', 'completed'),
      job('b', 'failed'),
      job('c', 'failed'),
      job('d', 'queued'),
    ];

    const verdict = check(evidence({ jobs, crashing: new Set(['b']) }), timing);

    expect(verdict).toMatchObject({
      jobs: 4,
      completed: 1,
      killedByChaos: 1,
      lost: 2,
      busyKilled: 1,
    });
    expect(verdict.promisesBroken).toHaveLength(2);
  });

  test('gaps that only the machine excuses are counted, and break nothing', () => {
    const journal = gap(50_000, 51_500);
    const sights = [{ kind: 'standstill' as const, fromMs: 50_100, toMs: 50_300 }];

    expect(check(evidence({ journal, sights }), timing)).toMatchObject({
      slowGaps: 1,
      promisesBroken: [],
    });
    expect(check(evidence({ journal }), timing)).toMatchObject({ slowGaps: 0 });
    expect(check(evidence({ journal }), timing).promisesBroken).toHaveLength(1);
  });

  test.each([
    [
      'a runner too many',
      evidence(
        {},
        { unusedRunners: [{ name: 'r', scaleSet: 'web', registeredAt: 0, onlineAt: 1 }] },
      ),
    ],
    ['an instance that is left', evidence({ instances: 1 })],
    ['a record of a runner that is left', evidence({ records: 1 })],
    ['a registration that is left', evidence({}, { registrations: ['web-1'] })],
    ['what never comes to rest', evidence({ unrest: '1 messages are undeleted' })],
    ['a process that ended by itself', evidence({ endedByThemselves: ['janitor-0 ended'] })],
    ['a drain that failed', evidence({ drains: [{ ...aDrain, exitCode: 1 }] })],
    ['a fact that is missing', evidence({ jobs: [{ ...job('a', 'completed'), assignments: 1 }] })],
  ])('%s breaks a promise', (_what, given) => {
    expect(check(given, timing).promisesBroken).toHaveLength(1);
  });

  test('nothing is broken when all is well', () => {
    expect(check(evidence({ jobs: [job('a', 'completed')] }), timing).promisesBroken).toEqual([]);
  });
});

test('a time without a poll that nothing excuses is told, with who polled', () => {
  const journal = gap(5_000, 8_000, 'listener-0', 'listener-1');

  expect(check(evidence({ journal }), timing).promisesBroken).toEqual([
    'web was not polled for 3000 ms from 00:00:05.000 (by listener-0, then listener-1), ' +
      '1000 ms longer than what was done allows (nothing was done to it)',
  ]);
});

test('polls that push each other away again and again are two pollers', () => {
  const pushed = (count: number): JournalEntry[] =>
    Array.from({ length: count }, (_, n) => ({
      number: n,
      at: n * 100,
      scaleSet: 'web',
      event: 'superseded' as const,
    }));

  expect(check(evidence({ journal: pushed(8) }), timing).promisesBroken).toEqual([]);
  expect(check(evidence({ journal: pushed(9) }), timing).promisesBroken).toHaveLength(1);
});
