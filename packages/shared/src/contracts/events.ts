import { z } from 'zod';
import { evidenceSchema } from './runner.ts';
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
  /** By GitHub's clock, as far as GitHub says. */
  startedAt: z.iso.datetime().optional(),
});
/** A job is over, or was cancelled: then no runner may be named. */
export const jobCompletedSchema = z.looseObject({
  ...job,
  type: z.literal('job.completed'),
  result: z.string(),
  runnerName: z.string().optional(),
  /** When a runner took it and when it ended, by GitHub's clock, as far as GitHub says. */
  startedAt: z.iso.datetime().optional(),
  finishedAt: z.iso.datetime().optional(),
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

const knownTypes = new Set(['demand.changed', 'job.assigned', 'job.started', 'job.completed']);

/** An event that this version does not act on: of a later version, or meant for people. */
const otherEventSchema = z
  .looseObject({ type: z.string().refine((type) => !knownTypes.has(type)) })
  .transform(() => ({ type: 'other' as const }));

/**
 * Whatever lies on the listener's subjects, for who acts on some of it: what is not known comes out
 * as `other`, while a known type that is malformed is still refused.
 */
export const anyListenerEventSchema = z.union([listenerEventSchema, otherEventSchema]);
export type AnyListenerEvent = z.infer<typeof anyListenerEventSchema>;

/** Why a session that was open is not polled any more. */
const sessionEndSchema = z.enum(['handed over', 'closed', 'lost', 'gone', 'stuck']);
export type SessionEnd = z.infer<typeof sessionEndSchema>;

const scaleSet = {
  ...base,
  /** Identity of the listener that says so. */
  by: z.string(),
  /** Of its claim; 0 before it has one. */
  epoch: z.int(),
};

/**
 * What happens to a scale set and its session, for people and for what watches. Published best
 * effort: demand and job facts never wait for it, and nothing may be decided by its absence.
 */
export const scaleSetEventSchema = z.discriminatedUnion('type', [
  z.looseObject({
    ...scaleSet,
    type: z.literal('session.opened'),
    /** Resumed, taken over, created or waited out. */
    how: z.string(),
    sessionId: z.string(),
  }),
  z.looseObject({
    ...scaleSet,
    type: z.literal('session.ended'),
    reason: sessionEndSchema,
    sessionId: z.string(),
  }),
  z.looseObject({
    ...scaleSet,
    type: z.literal('session.conflicted'),
    since: z.iso.datetime(),
    ownerText: z.string().optional(),
  }),
  z.looseObject({
    ...scaleSet,
    type: z.literal('session.conflict-ended'),
    since: z.iso.datetime(),
  }),
  z.looseObject({
    ...scaleSet,
    type: z.literal('scale-set.registered'),
    what: z.enum(['created', 'adopted', 'created again', 'adopted again']),
    githubScaleSetId: z.int(),
  }),
  z.looseObject({
    ...scaleSet,
    type: z.literal('condition.changed'),
    condition: z.string(),
    /** What is wrong; absent when the condition ended. */
    text: z.string().optional(),
  }),
]);
export type ScaleSetEvent = z.infer<typeof scaleSetEventSchema>;

/** An operator has written the spec of a scale set; published by the CLI, best effort. */
const specEventSchema = z.looseObject({
  ...base,
  type: z.literal('scale-set.changed'),
  by: z.string(),
  what: z.enum(['created', 'updated', 'enabled', 'disabled', 'deleting', 'deleted']),
  /** Of an update: which fields. */
  text: z.string().optional(),
});
export type SpecEvent = z.infer<typeof specEventSchema>;

/** A step in a runner's life, published by the service that made it. */
export const runnerEventSchema = z.looseObject({
  ...base,
  type: z.enum([
    'runner.requested',
    'runner.created',
    /** GitHub has it online. Not told where a message about its job comes first. */
    'runner.online',
    'runner.failed',
    'runner.marked',
    /** Its mark was taken back: GitHub says that it runs a job. */
    'runner.kept',
    'runner.deleted',
    /** An instance without a record was given one. */
    'runner.adopted',
    /** A registration that belongs to no runner was removed at GitHub. */
    'runner.deregistered',
  ]),
  runnerId: z.string(),
  runnerName: z.string(),
  /** Who decided it. */
  by: z.string(),
  reason: z.string().optional(),
  /** What was seen, for people. */
  text: z.string().optional(),
  evidence: evidenceSchema.optional(),
  /** Of an end: who carried it out, behind which gate, after how many failures, how long after the mark. */
  carriedOutBy: z.string().optional(),
  gate: z.string().optional(),
  attempts: z.int().optional(),
  markedForMs: z.number().optional(),
});
export type RunnerEvent = z.infer<typeof runnerEventSchema>;

/** A sweep found more than may go at once, or does not find it any more. Its `scaleSetId` is `all`. */
export const sweepEventSchema = z.looseObject({
  ...base,
  type: z.enum(['sweep.held', 'sweep.released']),
  sweep: z.string(),
  hostId: z.string().optional(),
  by: z.string(),
  holdId: z.string(),
  count: z.int(),
  of: z.int(),
  text: z.string(),
});
export type SweepEvent = z.infer<typeof sweepEventSchema>;

/** "Create this runner" and "delete this runner". The record says everything else. */
export const runnerCommandSchema = z.looseObject({
  v: z.literal(1),
  scaleSetId: z.string(),
  runnerId: z.string(),
  /** Where it is to be made. Absent from commands of earlier versions, and of deletions. */
  provider: z.string().optional(),
  /** Of a deletion that an operator asks for: the janitor marks the runner first. */
  operator: z
    .looseObject({
      by: z.string(),
      at: z.iso.datetime(),
      /** Gate `none`: its instance goes at once, whatever it does. */
      force: z.boolean().optional(),
      hostGone: z.boolean().optional(),
    })
    .optional(),
  traceparent: z.string().optional(),
});
export type RunnerCommand = z.infer<typeof runnerCommandSchema>;

/** Which message of GitHub a dead letter is, or comes from. */
const deadLetterOriginSchema = z.looseObject({
  /** The id of the scale set at GitHub, when the message came. */
  githubScaleSetId: z.int(),
  messageId: z.string(),
  bodyHash: z.string(),
  /** Its body is one entry of the message: which, from 0. Without it the body is the message. */
  entry: z.int().min(0).optional(),
});
export type DeadLetterOrigin = z.infer<typeof deadLetterOriginSchema>;

/** What could not be handled, whole, with the reason. */
export const deadLetterSchema = z.looseObject({
  v: z.literal(1),
  service: z.string(),
  kind: z.string(),
  scaleSetId: z.string().optional(),
  origin: deadLetterOriginSchema.optional(),
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
