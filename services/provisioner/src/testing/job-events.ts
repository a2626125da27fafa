import type { JobEvent, Runner } from '@baton/shared/contracts';

/** What a listener publishes of a job that a runner began, or ended; `at` in ISO 8601. */
export function jobEvent(
  { scaleSetId, name: runnerName }: Runner,
  type: 'started' | 'completed',
  at: string,
): JobEvent {
  const ids = { jobId: 'job-1', runnerRequestId: '7', workflowRunId: '99' };
  const job = { ...ids, repository: 'acme/app', jobDisplayName: 'build', runnerName };
  const base = { v: 1 as const, scaleSetId, at, position: { epoch: 1, seq: 9 }, ...job };
  return type === 'started'
    ? { ...base, type: 'job.started' }
    : { ...base, type: 'job.completed', result: 'succeeded' };
}
