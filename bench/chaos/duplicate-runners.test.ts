import { expect, test } from 'vitest';
import { unexcusedRunners } from './duplicate-runners.ts';
import { job } from './testing/evidence.ts';

const killed = { ...job('a', 'failed'), startedAt: 10_000, completedAt: 26_000 };

function runner(onlineAt: number, scaleSet = 'web') {
  return { name: `r${onlineAt}`, scaleSet, onlineAt };
}

function left(...runners: ReturnType<typeof runner>[]): string[] {
  return unexcusedRunners(runners, [killed], new Set(['a'])).map(({ name }) => name);
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
  expect(unexcusedRunners([runner(12_000)], [killed], new Set())).toHaveLength(1);
});
