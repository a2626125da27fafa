import type { Job } from './model.ts';
import type { SimOptions } from './options.ts';

export type EntryKind = 'JobAvailable' | 'JobAssigned' | 'JobStarted' | 'JobCompleted';

const zeroTime = '0001-01-01T00:00:00Z';

/** One job as an element of a message's body: JSON text with its 64-bit ids as bare numbers. */
export function jobEntry(kind: EntryKind, job: Job, options: SimOptions): string {
  const zero = hidesIds(kind, options);
  return toJson({
    messageType: kind,
    runnerRequestId: zero ? 0n : job.requestId,
    repositoryName: job.repository,
    ownerName: job.owner,
    jobId: job.id,
    jobWorkflowRef: `${job.owner}/${job.repository}/.github/workflows/ci.yml@refs/heads/main`,
    jobDisplayName: 'build',
    workflowRunId: zero ? 0n : job.runId,
    eventName: 'push',
    requestLabels: job.labels,
    queueTime: time(job.queuedAt),
    scaleSetAssignTime: time(job.assignedAt),
    runnerAssignTime: time(job.startedAt),
    finishTime: time(job.completedAt),
    ...(kind === 'JobAvailable' ? { acquireJobUrl: '' } : {}),
    ...(kind === 'JobStarted' || kind === 'JobCompleted' ? runnerFields(job) : {}),
    ...(kind === 'JobCompleted' ? { result: job.outcome ?? 'failed' } : {}),
  });
}

/** JSON with bigints written as numbers, which `JSON.stringify` refuses. */
export function toJson(value: unknown): string {
  const marked = JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'bigint' ? `@bigint:${field}@` : field,
  );
  return marked.replaceAll(/"@bigint:(\d+)@"/g, '$1');
}

function hidesIds(kind: EntryKind, { dialect, requestIds }: SimOptions): boolean {
  if (dialect === 'ghes' || requestIds === 'real') return false;
  return requestIds === 'zero' || kind === 'JobAssigned';
}

function runnerFields(job: Job): { runnerId: number; runnerName: string } {
  return { runnerId: job.runner?.id ?? 0, runnerName: job.runner?.name ?? '' };
}

function time(ms: number | undefined): string {
  return ms === undefined ? zeroTime : new Date(ms).toISOString();
}
