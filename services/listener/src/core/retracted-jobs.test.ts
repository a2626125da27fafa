import { describe, expect, test } from 'vitest';
import { aCompletion, anAssignment } from '../testing/jobs.ts';
import { RetractedJobs } from './retracted-jobs.ts';

const assigned = (jobId: string) => anAssignment({ jobId });
const canceled = (jobId: string) =>
  aCompletion({ jobId, result: 'canceled', runnerName: '', runnerId: 0 });
const ids = (jobs: readonly { jobId: string }[]) => jobs.map(({ jobId }) => jobId);

describe('RetractedJobs', () => {
  test('finds jobs of the backlog that were assigned and cancelled before a runner had them', () => {
    const jobs = new RetractedJobs();

    const first = jobs.onMessage([assigned('a'), canceled('a'), assigned('b')], true);
    const second = jobs.onMessage([canceled('b')], true);

    expect([ids(first), ids(second)]).toEqual([['a'], ['b']]);
    expect(jobs.count).toBe(2);
  });

  test.each([
    ['a job that a runner had', [assigned('a'), aCompletion({ jobId: 'a', result: 'canceled' })]],
    ['a job that succeeded', [assigned('a'), aCompletion({ jobId: 'a' })]],
    ['a job that nobody was given', [canceled('a')]],
  ])('%s was not retracted', (_what, entries) => {
    const jobs = new RetractedJobs();

    expect(jobs.onMessage(entries, true)).toEqual([]);
    expect(jobs.count).toBe(0);
  });

  test('what is cancelled after the backlog was cancelled by a person', () => {
    const jobs = new RetractedJobs();
    jobs.onMessage([assigned('a')], true);

    expect(jobs.onMessage([assigned('b'), canceled('a'), canceled('b')], false)).toEqual([]);
  });

  test('a job that is assigned again is not lost', () => {
    const jobs = new RetractedJobs();
    jobs.onMessage([assigned('a'), canceled('a'), assigned('b'), canceled('b')], true);

    jobs.onMessage([assigned('a')], false);

    expect(jobs.count).toBe(1);
  });
});
