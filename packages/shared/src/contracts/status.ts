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

/** What may be wrong with a scale set, whatever its state. */
export const conditionTypes = [
  /** GitHub has refused a session for more than three minutes: somebody else holds it. */
  'conflicted',
  /** The poll loop made no step within its deadline. */
  'stuck',
  /** GitHub keeps fewer labels than were asked for: jobs that need the others are not routed here. */
  'labels-dropped',
  /** The runner group is not at GitHub. */
  'group-unknown',
  /** GitHub says that jobs wait for this scale set and gives it none. */
  'jobs-not-assigned',
  /** Jobs that belonged to a replaced session came back as cancelled. */
  'jobs-retracted',
  /** Sessions are replaced again and again: the scale set looks served and is not. */
  'sessions-replaced',
  /** NATS has stored nothing of the scale set for long, although there is something to store. */
  'events-not-stored',
  /** GitHub refuses the credential. */
  'credential-refused',
  /** Runners of the scale set fail one after another before they do any work: creation is held back. */
  'creation-failing',
  /** The provider cannot be asked, or fails for all: nothing is created in it until it answers. */
  'provider-failing',
  /** The runner program is too old for GitHub: it exited with code 7. */
  'runner-outdated',
  /** New runners exit unused while GitHub says that jobs wait: its count is not believed. */
  'ghost-demand',
  /** GitHub counts jobs and runners that do not exist, and delivers nothing. */
  'mute',
] as const;
export type ConditionType = (typeof conditionTypes)[number];

/** Those that provisioners set, in the plan; the others are set by the listener that has the scale set. */
export const plannedConditionTypes = [
  'creation-failing',
  'provider-failing',
  'runner-outdated',
  'ghost-demand',
  'mute',
] as const satisfies readonly ConditionType[];

export const conditionSchema = z.looseObject({
  /** One of `conditionTypes`; a later version may know more. */
  type: z.string(),
  since: z.iso.datetime(),
  /** What is wrong and what to do, for people. */
  text: z.string(),
});
export type Condition = z.infer<typeof conditionSchema>;

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
  /** When this owner opened or resumed the session. */
  openedAt: z.iso.datetime().optional(),
  since: z.iso.datetime(),
  lastPollAt: z.iso.datetime().optional(),
  lastMessageAt: z.iso.datetime().optional(),
  /** How many runners GitHub was told that the scale set could run. */
  capacity: z.int().optional(),
  conflict: z
    .looseObject({
      since: z.iso.datetime(),
      attempts: z.int(),
      nextAttemptAt: z.iso.datetime(),
      /** The session's owner as GitHub names it, when it does. */
      ownerText: z.string().optional(),
    })
    .optional(),
  conditions: z.array(conditionSchema).default([]),
  /** When sessions were replaced lately, whoever did it; the newest last. */
  replacedAt: z.array(z.iso.datetime()).default([]),
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
  /** How many of the scale sets it should have, compared to others. */
  weight: z.number().positive().default(1),
});
export type Member = z.infer<typeof memberSchema>;
