import { z } from 'zod';
import { demandSchema, positionSchema } from './session-record.ts';

const base = { v: z.literal(1), scaleSetId: z.string(), at: z.iso.datetime() };

/** `demand.changed`: wakes the planners. The demand itself is read from the session record. */
export const demandChangedSchema = z.looseObject({
  ...base,
  type: z.literal('demand.changed'),
  demand: demandSchema,
});

const job = {
  ...base,
  /** The demand of the message that brought this fact. */
  position: positionSchema,
  jobId: z.string(),
  runnerRequestId: z.string(),
  workflowRunId: z.string(),
  repository: z.string().optional(),
  jobDisplayName: z.string().optional(),
  queuedAt: z.iso.datetime().optional(),
};

/** GitHub gave a job to the scale set. */
const jobAssignedSchema = z.looseObject({ ...job, type: z.literal('job.assigned') });
/** A runner took a job. */
export const jobStartedSchema = z.looseObject({
  ...job,
  type: z.literal('job.started'),
  runnerName: z.string(),
  githubRunnerId: z.int().optional(),
});
/** A job is over, or was cancelled: then no runner may be named. */
export const jobCompletedSchema = z.looseObject({
  ...job,
  type: z.literal('job.completed'),
  result: z.string(),
  runnerName: z.string().optional(),
});

/** Every event that the listener publishes. */
export const listenerEventSchema = z.discriminatedUnion('type', [
  demandChangedSchema,
  jobAssignedSchema,
  jobStartedSchema,
  jobCompletedSchema,
]);
export type ListenerEvent = z.infer<typeof listenerEventSchema>;
export type DemandChanged = z.infer<typeof demandChangedSchema>;
export type JobEvent = Exclude<ListenerEvent, DemandChanged>;

/** A step in a runner's life, published by the service that made it. */
export const runnerEventSchema = z.looseObject({
  ...base,
  type: z.enum([
    'runner.requested',
    'runner.created',
    'runner.failed',
    'runner.marked',
    'runner.deleted',
  ]),
  runnerId: z.string(),
  runnerName: z.string(),
  by: z.string(),
  reason: z.string().optional(),
});
export type RunnerEvent = z.infer<typeof runnerEventSchema>;

/** "Create this runner" and "delete this runner". The record says everything else. */
export const runnerCommandSchema = z.looseObject({
  v: z.literal(1),
  scaleSetId: z.string(),
  runnerId: z.string(),
  traceparent: z.string().optional(),
});
export type RunnerCommand = z.infer<typeof runnerCommandSchema>;

/** What could not be handled, whole, with the reason. */
export const deadLetterSchema = z.looseObject({
  v: z.literal(1),
  service: z.string(),
  kind: z.string(),
  scaleSetId: z.string().optional(),
  reason: z.string(),
  /** The subject it came from, when it was a NATS message. */
  subject: z.string().optional(),
  body: z.string(),
  /** Of a body that is too long for one message: which part this is, from 1, and of how many. */
  part: z.int().optional(),
  parts: z.int().optional(),
  at: z.iso.datetime(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;
