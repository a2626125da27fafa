import { hash } from 'node:crypto';
import type { JobMessage, QueueMessage } from '@baton/scaleset';
import type { JobEvent, Position, RingEntry } from '@baton/shared/contracts';
import { jobKey } from './job-key.ts';

interface TranslationContext {
  scaleSetId: string;
  /** The demand that will know these facts. */
  position: Position;
  /** ISO time at which the message was received. */
  at: string;
}

/** Types whose entries become facts: one of another shape is lost unless somebody looks at it. */
export const factTypes: ReadonlySet<string> = new Set([
  'JobAssigned',
  'JobStarted',
  'JobCompleted',
]);

/** Hash of what a message says about jobs; its statistics change from delivery to delivery. */
export function bodyHash(jobs: readonly JobMessage[]): string {
  return hashOf(jobs.map(({ raw }) => `${raw}\n`).join(''));
}

function hashOf(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

/** What the ring knows a message by. */
export function entryOf(message: QueueMessage): RingEntry {
  const { messageId = 'none' } = message;
  if (message.kind === 'jobs') return { messageId, bodyHash: bodyHash(message.jobs) };
  return { messageId, bodyHash: hashOf(message.raw) };
}

/**
 * The facts of a message, one event each, in order. Offers (`JobAvailable`) are no facts, and
 * types that are not known are left out. Pure.
 */
export function translateJobs(
  jobs: readonly JobMessage[],
  { scaleSetId, position, at }: TranslationContext,
): JobEvent[] {
  const events: JobEvent[] = [];
  for (const job of jobs) {
    if (job.kind === 'unknown' || job.kind === 'JobAvailable') continue;
    const common = {
      v: 1 as const,
      scaleSetId,
      at,
      position,
      jobId: jobKey(job),
      runnerRequestId: job.runnerRequestId,
      workflowRunId: job.workflowRunId,
      repository: `${job.ownerName}/${job.repositoryName}`,
      jobDisplayName: job.jobDisplayName,
      ...isoTime('queuedAt', job.queueTime),
    };
    if (job.kind === 'JobAssigned') events.push({ ...common, type: 'job.assigned' });
    else if (job.kind === 'JobStarted') {
      const { runnerName, runnerId } = job;
      // 0: GitHub did not say it.
      const known = runnerId > 0 ? { githubRunnerId: runnerId } : {};
      const time = isoTime('startedAt', job.runnerAssignTime);
      events.push({ ...common, type: 'job.started', runnerName, ...known, ...time });
    } else {
      const named = job.runnerName ? { runnerName: job.runnerName } : {};
      const times = {
        ...isoTime('startedAt', job.runnerAssignTime),
        ...isoTime('finishedAt', job.finishTime),
      };
      events.push({ ...common, type: 'job.completed', result: job.result, ...named, ...times });
    }
  }
  return events;
}

/** Jobs that GitHub offers and that must be acquired (Enterprise Server), as request ids. */
export function offeredRequestIds(jobs: readonly JobMessage[]): string[] {
  return jobs.filter((job) => job.kind === 'JobAvailable').map((job) => job.runnerRequestId);
}

type JobTime = 'queuedAt' | 'startedAt' | 'finishedAt';

function isoTime(key: JobTime, text: string | undefined): { [key in JobTime]?: string } {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? {} : { [key]: new Date(time).toISOString() };
}
