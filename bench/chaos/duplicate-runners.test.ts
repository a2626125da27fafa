import { expect, test } from 'vitest';
import { unexcusedRunners } from './duplicate-runners.ts';
import { entry, job } from './testing/evidence.ts';

const killed = { ...job('a', 'failed'), startedAt: 10_000, completedAt: 26_000 };

function runner(onlineAt: number, scaleSet = 'web') {
  return { name: `r${onlineAt}`, scaleSet, onlineAt };
}

function left(...runners: ReturnType<typeof runner>[]): string[] {
  return unexcusedRunners(runners, { jobs: [killed], crashing: new Set(['a']), journal: [] }).map(
    ({ name }) => name,
  );
}

test('a runner that was made to die excuses one replacement', () => {
  expect(left(runner(12_000))).toEqual([]);
  expect(left(runner(12_000), runner(13_000))).toEqual(['r13000']);
});

test('of its own scale set, while its job counted', () => {
  expect(left(runner(12_000, 'other'))).toEqual(['r12000']);
  expect(left(runner(9_000))).toEqual(['r9000']);
  expect(left(runner(57_000))).toEqual(['r57000']);
});

test('a job that was not meant to die excuses nothing', () => {
  const evidence = { jobs: [killed], crashing: new Set<string>(), journal: [] };

  expect(unexcusedRunners([runner(12_000)], evidence)).toHaveLength(1);
});

test('messages that were held back, or are a backlog, excuse runners of their scale set', () => {
  const journal = [entry(9_000, 'asked'), entry(50_000, 'spoiled', { route: 'getMessage' })];
  const evidence = { jobs: [], crashing: new Set<string>(), journal };
  const all = [
    runner(8_999),
    runner(13_000),
    runner(13_001, 'other'),
    runner(14_001),
    runner(95_000),
  ];

  expect(unexcusedRunners(all, evidence).map(({ onlineAt }) => onlineAt)).toEqual([
    8_999, 13_001, 14_001,
  ]);
});
