import { type JobMessage, parseJobMessages, parseQueueMessage } from '@baton/scaleset';
import type { RingEntry } from '@baton/shared/contracts';
import type { StoredLetter } from '@baton/shared/messaging';
import { bodyHash, factTypes } from './translate-message.ts';

/** What a dead letter says about jobs, when it is read again. */
export type LetterReading =
  | { kind: 'unreadable'; problem: string }
  | {
      kind: 'jobs';
      entry: RingEntry;
      /** With its place in the message. */
      jobs: { job: JobMessage; place: number }[];
      /** What should be a fact and cannot be understood. */
      problem: string | undefined;
    };

/**
 * Reads a dead letter of the listener: the answer of GitHub that it was, the entries of a message
 * that failed, or one entry. Pure.
 */
export function readLetter({ origin, body }: StoredLetter): LetterReading {
  if (origin && (origin.entry !== undefined || body.startsWith('['))) {
    return reading(origin, parseJobMessages(body), origin.entry ?? 0);
  }
  const message = parseQueueMessage(body);
  if (message.kind === 'unreadable') return message;
  const { messageId, jobs } = message;
  return reading({ messageId, bodyHash: bodyHash(jobs) }, jobs, 0);
}

function reading(
  { messageId, bodyHash: hash }: RingEntry,
  jobs: readonly JobMessage[],
  from: number,
): LetterReading {
  return {
    kind: 'jobs',
    entry: { messageId, bodyHash: hash },
    jobs: jobs.map((job, index) => ({ job, place: from + index })),
    problem: jobs.map(problemOf).find((problem) => problem !== undefined),
  };
}

/** Types that become no facts are passed over, as they are in a message. */
function problemOf(job: JobMessage): string | undefined {
  if (job.kind !== 'unknown') return undefined;
  const { messageType, problem } = job;
  if (messageType !== undefined && !factTypes.has(messageType)) return undefined;
  return `${messageType ?? 'an entry'}: ${problem}`;
}
