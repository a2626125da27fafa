import { describe, expect, test } from 'vitest';
import { anAssignment, anOffer, someStatistics } from '../testing/jobs.ts';
import { defaultWaitingPolicy, WaitingJobs } from './waiting-jobs.ts';

const available = (totalAvailableJobs: number, assigned = 0) => ({
  ...someStatistics(assigned),
  totalAvailableJobs,
});
const aWatch = () => new WaitingJobs(defaultWaitingPolicy, 0);

describe('jobs that are not assigned', () => {
  test('are told after five minutes without any assignment', () => {
    const jobs = aWatch();
    jobs.onStatistics(available(2), true, 1_000);
    jobs.onStatistics(available(3), true, 200_000);

    expect(jobs.notAssigned(300_999)).toBe(false);
    expect(jobs.notAssigned(301_000)).toBe(true);
  });

  test.each([
    ['one is assigned, by the statistics', available(2, 1), true],
    ['none waits any more', available(0), true],
    ['nothing could be run', available(2), false],
  ])('are not told when %s', (_when, statistics, canRun) => {
    const jobs = aWatch();
    jobs.onStatistics(available(2), true, 0);

    jobs.onStatistics(statistics, canRun, 299_000);

    expect(jobs.notAssigned(600_000)).toBe(false);
  });

  test('are not told any more once a message assigns one', () => {
    const jobs = aWatch();
    jobs.onStatistics(available(2), true, 0);

    jobs.onJobs([anAssignment()], 400_000);

    expect(jobs.notAssigned(400_000)).toBe(false);
  });

  test('statistics that did not come change nothing', () => {
    const jobs = aWatch();
    jobs.onStatistics(available(2), true, 0);

    jobs.onStatistics(undefined, true, 299_000);

    expect(jobs.notAssigned(300_000)).toBe(true);
  });
});

describe('offers', () => {
  test('are lost when jobs wait and none was offered for a minute', () => {
    const jobs = aWatch();
    jobs.onStatistics(available(1), true, 10_000);
    jobs.onJobs([anOffer()], 10_000);

    expect(jobs.offersLost(69_999)).toBe(false);
    expect(jobs.offersLost(70_000)).toBe(true);
  });

  test('are not lost when no job waits', () => {
    expect(aWatch().offersLost(1e9)).toBe(false);
  });
});

describe('statistics of now', () => {
  test('are asked for after ten quiet minutes, and every minute while jobs wait', () => {
    const jobs = aWatch();

    const quiet = jobs.askInMs(100_000);
    jobs.onStatistics(available(1), true, 100_000);

    expect(quiet).toBe(500_000);
    expect(jobs.askInMs(130_000)).toBe(30_000);
    expect(jobs.askInMs(1e9)).toBe(0);
  });

  test('are not asked for again at once when GitHub could not be asked', () => {
    const jobs = aWatch();

    jobs.asked(700_000);

    expect(jobs.askInMs(700_000)).toBe(600_000);
  });
});
