import { z } from 'zod';
import { type JobMessage, readJobMessage } from './job-message.ts';
import { decimalId, parseJson, shapeProblem } from './json.ts';
import { type Statistics, statisticsSchema } from './schemas.ts';

/** A message whose jobs can be read. `jobs` may be empty: then only the statistics changed. */
export interface JobsMessage {
  kind: 'jobs';
  /** 64-bit, decimal. */
  messageId: string;
  statistics: Statistics | undefined;
  jobs: readonly JobMessage[];
}

/** A message that cannot be understood: to be kept whole for people to look at, then deleted. */
export interface UnreadableMessage {
  kind: 'unreadable';
  /** Undefined when not even the id can be read: such a message cannot be deleted. */
  messageId: string | undefined;
  statistics: Statistics | undefined;
  problem: string;
  /** The whole answer, as it came. */
  raw: string;
}

export type QueueMessage = JobsMessage | UnreadableMessage;

const envelope = z.looseObject({
  messageId: decimalId,
  messageType: z.string(),
  body: z.string().nullish(),
  statistics: statisticsSchema.nullish(),
});

/** What can still be read of a message that is not as agreed. */
const remains = z.looseObject({
  messageId: decimalId.optional().catch(undefined),
  statistics: statisticsSchema.optional().catch(undefined),
});

/** Reads a message of the queue; `parsed` is the JSON of `raw`. Pure; never throws. */
export function readQueueMessage(parsed: unknown, raw: string): QueueMessage {
  const unreadable = (problem: string): UnreadableMessage => {
    const known = remains.safeParse(parsed).data;
    const { messageId, statistics } = known ?? {};
    return { kind: 'unreadable', messageId, statistics, problem, raw };
  };
  const read = envelope.safeParse(parsed);
  if (!read.success) return unreadable(shapeProblem(read.error));
  const { messageId, messageType, body, statistics } = read.data;
  if (messageType !== 'RunnerScaleSetJobMessages') {
    return unreadable('messageType: not RunnerScaleSetJobMessages');
  }
  const elements = readBody(body);
  if (!elements) return unreadable('body: not a JSON array');
  const jobs = elements.map(readJobMessage);
  return { kind: 'jobs', messageId, statistics: statistics ?? undefined, jobs };
}

/** Reads the text of a message, as GitHub sent it. Pure; never throws. */
export function parseQueueMessage(raw: string): QueueMessage {
  try {
    return readQueueMessage(parseJson(raw), raw);
  } catch {
    const [messageId, statistics] = [undefined, undefined];
    return { kind: 'unreadable', messageId, statistics, problem: 'not JSON', raw };
  }
}

/** Reads the text of one entry of a message, or of an array of them. Pure; never throws. */
export function parseJobMessages(raw: string): JobMessage[] {
  try {
    const parsed = parseJson(raw);
    return (Array.isArray(parsed) ? parsed : [parsed]).map(readJobMessage);
  } catch {
    return [{ kind: 'unknown', messageType: undefined, problem: 'not JSON', raw }];
  }
}

function readBody(body: string | null | undefined): unknown[] | undefined {
  if (!body?.trim()) return [];
  try {
    const elements = parseJson(body);
    return Array.isArray(elements) ? elements : undefined;
  } catch {
    return undefined;
  }
}
