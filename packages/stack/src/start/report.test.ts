import { describe, expect, test } from 'vitest';
import { judge, type Kill, type Report } from './report.ts';

const quiet = { kill: undefined, undrained: [] };

function aReport(changed: Partial<Report> = {}): Report {
  return {
    jobs: 40,
    completed: 40,
    lostJobs: 0,
    duplicateRunners: 0,
    leftoverRunners: 0,
    leftoverRegistrations: 0,
    leftoverInstances: 0,
    sessionGapMs: 900,
    kills: [],
    wallMs: 10_000,
    ...changed,
  };
}

function aKill(changed: Partial<Kill> = {}): Kill {
  return {
    service: 'listener',
    pid: 7,
    atMs: 4_000,
    completedBefore: 15,
    backAtMs: 5_000,
    ...changed,
  };
}

describe('judge', () => {
  test('finds nothing wrong with a run that was right', () => {
    const report = aReport({ sessionGapMs: 12_000, kills: [aKill()] });

    const verdict = judge(report, { kill: 'listener', undrained: [] });

    expect(verdict).toEqual({ exitCode: 0, problems: [] });
  });

  test.each<[Partial<Report>, string]>([
    [{ completed: 39 }, '39 of 40 jobs were completed'],
    [{ lostJobs: 1 }, '1 jobs were lost'],
    [{ duplicateRunners: 2 }, '2 runners too many came online'],
    [{ duplicateRunners: -1 }, '-1 runners too many came online'],
    [{ leftoverRunners: 1 }, '1 runners are still online'],
    [{ leftoverRegistrations: 1 }, '1 runners are still registered'],
    [{ leftoverInstances: 1 }, '1 instances are still there'],
    [{ sessionGapMs: 12_001 }, 'no poll was held for 12001 ms'],
    [{ kills: [aKill({ backAtMs: null })] }, 'the listener did not come back'],
  ])('%j is not right', (changed, problem) => {
    expect(judge(aReport(changed), quiet)).toEqual({ exitCode: 1, problems: [problem] });
  });

  test('a service that did not drain is not right', () => {
    const verdict = judge(aReport(), { kill: undefined, undrained: ['janitor-0'] });

    expect(verdict).toEqual({ exitCode: 1, problems: ['janitor-0 did not drain'] });
  });

  test('a kill that did not come about has a code of its own, whatever else is wrong', () => {
    const verdict = judge(aReport({ lostJobs: 1 }), { kill: 'nats', undrained: [] });

    expect(verdict.exitCode).toBe(2);
    expect(verdict.problems[0]).toMatch(/^no nats was killed: .* use more jobs$/);
  });
});
