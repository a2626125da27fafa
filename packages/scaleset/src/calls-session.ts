import type { AdminCall } from './admin-api.ts';
import { scaleSetPath } from './calls-scale-set.ts';
import { GitHubApiError } from './errors.ts';
import { jobSchema } from './job-message.ts';
import { readAnswer, readDone } from './read-answer.ts';
import { listOf, type Session, sessionSchema } from './schemas.ts';
import type { HttpAnswer } from './transport.ts';

/** A job that waits to be acquired. Ids are 64-bit, decimal. */
export interface AcquirableJob {
  runnerRequestId: string;
  jobId: string;
  repositoryName: string;
  ownerName: string;
  jobWorkflowRef: string;
  jobDisplayName: string;
  workflowRunId: string;
  eventName: string;
  requestLabels: readonly string[];
}

export type DeleteSessionResult = { kind: 'deleted' } | { kind: 'gone' };

export function createSessionCall(scaleSetId: number, ownerName: string): AdminCall<Session> {
  return {
    what: 'create session',
    priority: 'session',
    method: 'POST',
    path: scaleSetPath(scaleSetId, 'sessions'),
    scaleSetId,
    body: JSON.stringify({ ownerName }),
    meaning: { conflict: 'session-conflict' },
    read: readSession,
  };
}

export function refreshSessionCall(scaleSetId: number, sessionId: string): AdminCall<Session> {
  return {
    what: 'refresh session',
    priority: 'session',
    method: 'PATCH',
    path: scaleSetPath(scaleSetId, 'sessions', sessionId),
    scaleSetId,
    meaning: { notFound: 'session-gone' },
    read: readSession,
  };
}

export function deleteSessionCall(
  scaleSetId: number,
  sessionId: string,
): AdminCall<DeleteSessionResult> {
  const gone = { answer: { kind: 'gone' } } as const;
  return {
    what: 'delete session',
    priority: 'session',
    method: 'DELETE',
    path: scaleSetPath(scaleSetId, 'sessions', sessionId),
    scaleSetId,
    meaning: { notFound: 'session-gone' },
    read: readDone({ kind: 'deleted' }),
    expected: new Map([
      ['session-gone', gone],
      ['scale-set-not-found', gone],
    ]),
  };
}

export function acquirableJobsCall(scaleSetId: number): AdminCall<AcquirableJob[]> {
  return {
    what: 'list acquirable jobs',
    priority: 'session',
    method: 'GET',
    path: scaleSetPath(scaleSetId, 'acquirablejobs'),
    scaleSetId,
    read: (answer, context) =>
      answer.status === 204 ? [] : readAnswer(listOf(jobSchema), answer, context),
  };
}

/** A session without a queue is none (measured), and one without a token cannot be polled. */
function readSession(answer: HttpAnswer, context: { what: string; host: string }): Session {
  const session = readAnswer(sessionSchema, answer, context);
  if (URL.canParse(session.queueUrl) && session.queueToken.reveal() !== '') return session;
  throw new GitHubApiError(`${context.what}: ${context.host} answered without a message queue`, {
    kind: 'degraded',
    host: context.host,
    status: answer.status,
    sessionId: session.sessionId,
    activityId: answer.header('activityid'),
    requestId: answer.header('x-github-request-id'),
  });
}
