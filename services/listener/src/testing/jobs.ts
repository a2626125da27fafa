import type {
  JobAssigned,
  JobAvailable,
  JobCompleted,
  JobFields,
  JobStarted,
  Statistics,
} from '@baton/scaleset';

type Part<T> = Partial<Omit<T, 'kind'>>;

/** What GitHub says about a job, as it comes out of a message. `raw` follows from the rest. */
function fields<K extends string, M extends object>(kind: K, part: M) {
  const known: JobFields = {
    runnerRequestId: '0',
    jobId: 'job-1',
    repositoryName: 'app',
    ownerName: 'acme',
    jobWorkflowRef: 'acme/app/.github/workflows/ci.yml@refs/heads/main',
    jobDisplayName: 'build',
    workflowRunId: '1001',
    eventName: 'push',
    requestLabels: ['linux'],
    queueTime: '2026-01-01T00:00:00Z',
    scaleSetAssignTime: undefined,
    runnerAssignTime: undefined,
    finishTime: undefined,
    raw: '',
  };
  const said = { kind, ...known, ...part };
  return { ...said, raw: JSON.stringify(said) };
}

export function anOffer(part: Part<JobAvailable> = {}): JobAvailable {
  return { acquireJobUrl: '', ...fields('JobAvailable', part) };
}

export function anAssignment(part: Part<JobAssigned> = {}): JobAssigned {
  return fields('JobAssigned', part);
}

export function aStart(part: Part<JobStarted> = {}): JobStarted {
  return fields('JobStarted', { runnerId: 7, runnerName: 'linux-test-r1', ...part });
}

export function aCompletion(part: Part<JobCompleted> = {}): JobCompleted {
  const end = { runnerId: 7, runnerName: 'linux-test-r1', result: 'succeeded' };
  return fields('JobCompleted', { ...end, ...part });
}

export function someStatistics(totalAssignedJobs: number): Statistics {
  return {
    totalAvailableJobs: 0,
    totalAcquiredJobs: 0,
    totalAssignedJobs,
    totalRunningJobs: 0,
    totalRegisteredRunners: 0,
    totalBusyRunners: 0,
    totalIdleRunners: 0,
  };
}
