import { z } from 'zod';
import { decimalId, shapeProblem, stringifyJson } from './json.ts';

/** What all job messages say. An empty string, or the id "0", means that GitHub did not say it. */
export interface JobFields {
  /** 64-bit, decimal. "0" on github.com, so never a key by itself: `jobId` is the other part. */
  runnerRequestId: string;
  jobId: string;
  repositoryName: string;
  ownerName: string;
  jobWorkflowRef: string;
  jobDisplayName: string;
  /** 64-bit, decimal. */
  workflowRunId: string;
  eventName: string;
  requestLabels: readonly string[];
  /** ISO 8601; undefined for "not yet" (GitHub sends the year 1). So are the other times. */
  queueTime: string | undefined;
  scaleSetAssignTime: string | undefined;
  runnerAssignTime: string | undefined;
  finishTime: string | undefined;
  /** The message as JSON, with the fields that are not known here. */
  raw: string;
}

export interface JobAvailable extends JobFields {
  kind: 'JobAvailable';
  acquireJobUrl: string;
}

export interface JobAssigned extends JobFields {
  kind: 'JobAssigned';
}

export interface JobStarted extends JobFields {
  kind: 'JobStarted';
  runnerId: number;
  runnerName: string;
}

export interface JobCompleted extends JobFields {
  kind: 'JobCompleted';
  /** `succeeded`, `failed`, `canceled`, … */
  result: string;
  /** 0 and '' when no runner had taken the job. */
  runnerId: number;
  runnerName: string;
}

/** A message of a type or shape that is not known: to be logged, counted and passed over. */
export interface UnknownJobMessage {
  kind: 'unknown';
  messageType: string | undefined;
  problem: string;
  raw: string;
}

export type JobMessage = JobAvailable | JobAssigned | JobStarted | JobCompleted | UnknownJobMessage;

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const id64 = decimalId.nullish().transform((value) => value ?? '0');
const runnerId = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);
const time = z
  .string()
  .nullish()
  .transform((value) => (!value || value.startsWith('0001-01-01T') ? undefined : value));

const jobShape = {
  runnerRequestId: id64,
  jobId: z
    .union([z.string(), decimalId])
    .nullish()
    .transform((value) => value ?? ''),
  repositoryName: text,
  ownerName: text,
  jobWorkflowRef: text,
  jobDisplayName: text,
  workflowRunId: id64,
  eventName: text,
  requestLabels: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  queueTime: time,
  scaleSetAssignTime: time,
  runnerAssignTime: time,
  finishTime: time,
};

/** Fields of a job, also of those in the list of acquirable jobs. */
export const jobSchema = z.object(jobShape);

type KnownMessage = Exclude<JobMessage, UnknownJobMessage>;
type WithoutRaw<M> = M extends KnownMessage ? Omit<M, 'raw'> : never;

const runner = { runnerId, runnerName: text };
const schemas = new Map<string, z.ZodType<WithoutRaw<KnownMessage>>>([
  [
    'JobAvailable',
    z
      .object({ ...jobShape, acquireJobUrl: text })
      .transform((job) => ({ kind: 'JobAvailable' as const, ...job })),
  ],
  ['JobAssigned', jobSchema.transform((job) => ({ kind: 'JobAssigned' as const, ...job }))],
  [
    'JobStarted',
    z
      .object({ ...jobShape, ...runner })
      .transform((job) => ({ kind: 'JobStarted' as const, ...job })),
  ],
  [
    'JobCompleted',
    z
      .object({ ...jobShape, ...runner, result: text })
      .transform((job) => ({ kind: 'JobCompleted' as const, ...job })),
  ],
]);

const typed = z.object({ messageType: z.string() });

/** One element of a message body. Pure; never throws. */
export function readJobMessage(element: unknown): JobMessage {
  const raw = stringifyJson(element);
  const messageType = typed.safeParse(element).data?.messageType;
  const schema = messageType === undefined ? undefined : schemas.get(messageType);
  if (!schema) return { kind: 'unknown', messageType, problem: 'unknown message type', raw };
  const parsed = schema.safeParse(element);
  if (parsed.success) return { ...parsed.data, raw };
  return { kind: 'unknown', messageType, problem: shapeProblem(parsed.error), raw };
}
