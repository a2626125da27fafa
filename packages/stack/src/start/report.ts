import type { KillTarget } from './options.ts';

/** A process that was killed on purpose. Times count from the start of the workload, in ms. */
export interface Kill {
  service: KillTarget;
  pid: number;
  atMs: number;
  /** Jobs that were completed at that moment. */
  completedBefore: number;
  /** When its successor did its work; null when it never did. */
  backAtMs: number | null;
}

/**
 * What a run came to, by the books of the simulator and of the provider; Baton's own records are
 * never evidence.
 */
export interface Report {
  jobs: number;
  completed: number;
  /** Jobs queued and not completed. */
  lostJobs: number;
  /** Runners that came online without getting a job. */
  duplicateRunners: number;
  /** Runner processes that the simulator still has online. */
  leftoverRunners: number;
  /** Runner registrations that the simulator still lists. */
  leftoverRegistrations: number;
  /** Instances that the provider still lists. */
  leftoverInstances: number;
  /** The longest time that the simulator held no poll of a scale set. */
  sessionGapMs: number;
  kills: Kill[];
  /** From the start of the workload until everything was settled, in ms. */
  wallMs: number;
}

export interface Verdict {
  exitCode: 0 | 1 | 2;
  /** What is not right, a line each. */
  problems: string[];
}

/** A listener that dies costs a lease of 10 s and a little. */
const mostGapMs = 12_000;

interface Circumstances {
  kill: KillTarget | undefined;
  /** Services that did not drain when they were told to. */
  undrained: readonly string[];
}

/** Whether the run was right. 2: the kill that was asked for did not come about. */
export function judge(report: Report, { kill, undrained }: Circumstances): Verdict {
  const { jobs, completed, sessionGapMs, kills } = report;
  const killed = kill === undefined || kills.length > 0;
  const zeros = [
    [report.lostJobs, 'jobs were lost'],
    [report.duplicateRunners, 'runners too many came online'],
    [report.leftoverRunners, 'runners are still online'],
    [report.leftoverRegistrations, 'runners are still registered'],
    [report.leftoverInstances, 'instances are still there'],
  ] as const;
  const problems = [
    ...(killed ? [] : [missedKill(kill)]),
    ...(completed === jobs ? [] : [`${completed} of ${jobs} jobs were completed`]),
    ...zeros.filter(([count]) => count !== 0).map(([count, text]) => `${count} ${text}`),
    ...(sessionGapMs <= mostGapMs ? [] : [`no poll was held for ${sessionGapMs} ms`]),
    ...kills
      .filter(({ backAtMs }) => backAtMs === null)
      .map(({ service }) => `the ${service} did not come back`),
    ...undrained.map((instance) => `${instance} did not drain`),
  ];
  if (!killed) return { exitCode: 2, problems };
  return { exitCode: problems.length === 0 ? 0 : 1, problems };
}

function missedKill(kill: KillTarget): string {
  return `no ${kill} was killed: between 25 and 75 % of the jobs there was no moment with a runner being created and one busy; use more jobs`;
}
