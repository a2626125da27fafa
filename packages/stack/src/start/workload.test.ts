import { expect, test } from 'vitest';
import { workload } from './workload.ts';

const options = { seed: 7, scaleSetCount: 4, jobCount: 200 };

test('the same seed gives the same jobs', () => {
  expect([...workload(options)]).toEqual([...workload(options)]);
});

test('another seed gives other jobs', () => {
  expect([...workload(options)]).not.toEqual([...workload({ ...options, seed: 8 })]);
});

test('more jobs begin with the fewer ones', () => {
  const fewer = [...workload({ ...options, jobCount: 50 })];

  expect([...workload(options)].slice(0, 50)).toEqual(fewer);
});

test('jobs are short, in order, and for every scale set', () => {
  const jobs = [...workload(options)];

  expect(jobs).toHaveLength(200);
  expect(jobs[0]?.atMs).toBe(0);
  expect(jobs.map(({ atMs }) => atMs)).toEqual(jobs.map(({ atMs }) => atMs).sort((a, b) => a - b));
  expect(jobs.every(({ durationMs }) => durationMs >= 300 && durationMs <= 4_000)).toBe(true);
  expect(new Set(jobs.map(({ scaleSet }) => scaleSet))).toEqual(new Set([0, 1, 2, 3]));
});

test('without a number of jobs there is no end', () => {
  const jobs = workload({ seed: 1, scaleSetCount: 1 });

  for (let index = 0; index < 10_000; index += 1) expect(jobs.next().done).toBe(false);
});
