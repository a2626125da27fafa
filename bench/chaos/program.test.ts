import { expect, test } from 'vitest';
import type { ChaosReport } from './chaos.ts';
import { chaosTable } from './program.ts';

const report = {
  seed: 7,
  kills: 3,
  faults: 2,
  outages: 1,
  lies: 0,
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
  maxSessionGapMs: 5,
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
