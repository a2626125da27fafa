import type { JournalEntry } from '@baton/github-sim';
import { describe, expect, test } from 'vitest';
import { createLatencies } from './create-latencies.ts';

function delivered(scaleSet: string, at: number): JournalEntry {
  return { number: 1, at, scaleSet, event: 'delivered' };
}
const job = (scaleSet: string, assignedAt: number) => ({ scaleSet, assignedAt });

describe('createLatencies', () => {
  test('counts from the answer that carried the job', () => {
    const journal = [delivered('a', 90), delivered('a', 110)];

    expect(createLatencies([job('a', 100)], journal, [{ scaleSet: 'a', at: 125 }])).toEqual([15]);
  });

  test('takes the n-th job of a set with its n-th create', () => {
    const journal = [delivered('a', 100), delivered('a', 200), delivered('b', 150)];
    const jobs = [job('a', 150), job('b', 140), job('a', 100)];
    const created = [
      { scaleSet: 'a', at: 207 },
      { scaleSet: 'b', at: 159 },
      { scaleSet: 'a', at: 105 },
    ];

    const times = createLatencies(jobs, journal, created);

    expect(times.sort((a, b) => a - b)).toEqual([5, 7, 9]);
  });

  test('leaves out jobs without a runner, and those that were not assigned', () => {
    const journal = [delivered('a', 100)];
    const jobs = [job('a', 100), job('a', 100), { scaleSet: null, assignedAt: null }];

    expect(createLatencies(jobs, journal, [{ scaleSet: 'a', at: 105 }])).toEqual([5]);
  });
});
