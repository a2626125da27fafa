import { expect, test } from 'vitest';
import type { ChaosReport } from './chaos.ts';
import { chaosTable, commandOf, targetList } from './program.ts';
import { targets } from './schedule.ts';

const report = {
  books: ["the simulator's books: jobs", "the provider's files: instances"],
  seed: 7,
  kills: 3,
  faults: 2,
  outages: 1,
  lies: 0,
  spans: 0,
  standstillMs: 3,
  stretch: 1.1,
  quietMs: 10,
  jobs: 1,
  completed: 1,
  killedByChaos: 0,
  lost: 0,
  unusedRunners: 0,
  duplicateRunners: 0,
  busyKilled: 0,
  leftoverInstances: 0,
  leftoverRegistrations: 0,
  leftoverRecords: 0,
  maxSessionGapMs: 5,
  slowGaps: 0,
  promisesBroken: [],
};

test('the table ends with the verdict, and with how to repeat what was broken', () => {
  const last = (given: ChaosReport) =>
    chaosTable(given, 'npm run chaos -- --seed 7').split('\n').slice(-2);

  expect(last(report).at(-1)).toBe('verdict: every promise kept');
  expect(last({ ...report, promisesBroken: ['1 jobs lost'] })).toEqual([
    'BROKEN: 1 jobs lost',
    'verdict: 1 promise broken; logs: -; to repeat it: npm run chaos -- --seed 7',
  ]);
});

test('all targets are named by one word, also in how to repeat a run', () => {
  const rest = { traces: false, keepLogs: false };
  const options = { seed: 7, minutes: 20, scaleSets: 6, jobsPerMinute: 40, ...rest };

  expect(targetList('all')).toEqual(targets);
  expect(targetList('nats,janitor')).toEqual(['nats', 'janitor']);
  expect(() => targetList('all,nats')).toThrow('Neither "all" nor a list of');
  expect(commandOf({ ...options, targets, githubOutages: true, providerLies: true })).toBe(
    'npm run chaos -- --seed 7 --minutes 20 --targets all --github-outages --provider-lies ' +
      '--scale-sets 6 --jobs-per-minute 40',
  );
  expect(
    commandOf({ ...options, targets: ['nats'], githubOutages: false, providerLies: false }),
  ).toContain('--targets nats --scale-sets');
});
