import { z } from 'zod';

const scaleSetStates = [
  'waiting',
  'opening',
  'conflicted',
  'polling',
  'disabled',
  'failed',
  'deleted',
] as const;

/** What the operator sees of a scale set. Written by the listener that works on it. */
export const statusSchema = z.looseObject({
  v: z.literal(1),
  scaleSetId: z.string(),
  state: z.enum(scaleSetStates),
  /** Why it is in this state, for people; absent while polling. */
  reason: z.string().optional(),
  owner: z.string(),
  epoch: z.int(),
  /** How the session was got: resumed, taken over, created, waited out. */
  opened: z.string().optional(),
  since: z.iso.datetime(),
  lastPollAt: z.iso.datetime().optional(),
  lastMessageAt: z.iso.datetime().optional(),
  conflict: z
    .looseObject({
      since: z.iso.datetime(),
      attempts: z.int(),
      nextAttemptAt: z.iso.datetime(),
      /** The session's owner as GitHub names it, when it does. */
      ownerText: z.string().optional(),
    })
    .optional(),
});
export type Status = z.infer<typeof statusSchema>;
export type ScaleSetState = Status['state'];

/** A live listener, in the `members` bucket. */
export const memberSchema = z.looseObject({
  v: z.literal(1),
  identity: z.string(),
  incarnation: z.string(),
  startedAt: z.iso.datetime(),
  /** Takes no more sessions: it was told to end. */
  draining: z.boolean().default(false),
});
export type Member = z.infer<typeof memberSchema>;
