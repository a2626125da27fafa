import { z } from 'zod';
import { positionSchema } from './session-record.ts';

/** The life of a runner. The order is the order in which states can follow each other. */
export const runnerStates = [
  'requested',
  'creating',
  'starting',
  'idle',
  'busy',
  'completed',
  'failed',
  'lost',
  'marked',
  'deleting',
] as const;

const runnerStateSchema = z.enum(runnerStates);
export type RunnerState = z.infer<typeof runnerStateSchema>;

/** Why a runner must go. */
type MarkReason =
  | 'completed'
  | 'exited'
  | 'create-failed'
  | 'surplus'
  | 'rotation'
  /** It did not come online in time. */
  | 'registration-deadline'
  /** GitHub does not list it any more, although its instance lives. */
  | 'unregistered'
  /** The provider does not list its instance any more. */
  | 'lost'
  /** Its creation has neither succeeded nor failed for too long. */
  | 'stuck'
  /** GitHub has listed it as offline for too long. */
  | 'offline'
  /** An instance without a record that nothing needs. */
  | 'orphan'
  | 'operator';

/** What a decision was made from, for who reads the record or the event afterwards. */
export const evidenceSchema = z.looseObject({
  /** The lists that were looked at: whose, when it was asked for, and how long it was. */
  views: z.array(z.looseObject({ view: z.string(), at: z.iso.datetime(), count: z.int() })),
  /** Since when it looked like this, and in how many looks. */
  since: z.iso.datetime().optional(),
  looks: z.int().optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

const markSchema = z.looseObject({
  /** One that only a later version knows is read like any other: the gate says what may be done. */
  reason: z.custom<MarkReason>((value) => typeof value === 'string'),
  /**
   * `none`: compute goes at once, GitHub is told when it can be. `github`: compute goes only after
   * GitHub accepted the deregistration, because the runner might have taken a job.
   */
  gate: z.enum(['none', 'github']),
  by: z.string(),
  at: z.iso.datetime(),
  /** What was seen, for people. */
  text: z.string().optional(),
  evidence: evidenceSchema.optional(),
  /** The operator says that its host will never come back: there is no instance to delete any more. */
  hostGone: z.boolean().optional(),
});
export type Mark = z.infer<typeof markSchema>;

/** How far a deletion has come; every step may be repeated. */
const deletionSchema = z.looseObject({
  attempts: z.int().min(0),
  deregistered: z.boolean(),
  instanceDeleted: z.boolean(),
  /** Since when there is no instance any more: the debt to GitHub is as old as that. */
  instanceDeletedAt: z.iso.datetime().optional(),
  /** The provider was asked then for an instance whose id nobody wrote down, and did not list it. */
  absentAt: z.iso.datetime().optional(),
  retryAt: z.iso.datetime().optional(),
  /** Which step `retryAt` holds up; absent from records of earlier versions, where it is any. */
  failedStep: z.string().optional(),
  lastError: z.string().optional(),
  /** A janitor is at a step that takes long: until then others leave it to that one. */
  claim: z.looseObject({ by: z.string(), until: z.iso.datetime() }).optional(),
});
export type Deletion = z.infer<typeof deletionSchema>;

/** One runner, from the plan that asked for it to its deletion. */
export const runnerSchema = z.looseObject({
  v: z.literal(1),
  installationId: z.string(),
  scaleSetId: z.string(),
  runnerId: z.string(),
  name: z.string(),
  provider: z.string(),
  generation: z.string(),
  state: runnerStateSchema,
  createdAt: z.iso.datetime(),
  /** When the state last changed. */
  stateAt: z.iso.datetime(),
  githubRunnerId: z.int().optional(),
  instanceId: z.string().optional(),
  /** The provisioner that creates it. */
  creator: z
    .looseObject({
      v: z.literal(1),
      identity: z.string(),
      incarnation: z.string(),
      /** Its span `create runner`: should it end first, others tell of that. */
      span: z.looseObject({ traceparent: z.string(), at: z.iso.datetime() }).optional(),
    })
    .optional(),
  /** The host that its instance is on, where the provider is of one host. */
  hostId: z.string().optional(),
  /** When its instance was first known to be made. */
  instanceAt: z.iso.datetime().optional(),
  /** When it was first known to be online. */
  onlineAt: z.iso.datetime().optional(),
  /** How far it is on its way up, or what keeps it, for people; gone once it is online. */
  progress: z.string().optional(),
  /** While it is `requested`: its creation was put off until then. */
  retryAt: z.iso.datetime().optional(),
  /** Why it was put off last, and how often so far. */
  postponed: z.looseObject({ reason: z.string(), count: z.int().min(1) }).optional(),
  job: z.looseObject({ jobId: z.string(), startedAt: z.iso.datetime() }).optional(),
  /** The demand that already knew that this runner's job is over. */
  completedIn: positionSchema.optional(),
  /** When that was heard of. */
  completedAt: z.iso.datetime().optional(),
  exit: z.looseObject({ code: z.int().optional(), at: z.iso.datetime() }).optional(),
  failure: z.looseObject({ class: z.string(), text: z.string() }).optional(),
  mark: markSchema.optional(),
  deletion: deletionSchema.optional(),
  /** The last mark that was taken back: whose `at` it was, by whom and why. */
  kept: z
    .looseObject({
      markedAt: z.iso.datetime(),
      at: z.iso.datetime(),
      by: z.string(),
      reason: z.string(),
      text: z.string(),
    })
    .optional(),
  /** Its record was made anew from an instance that had none. */
  adopted: z.looseObject({ at: z.iso.datetime(), by: z.string() }).optional(),
  /** W3C trace context of the span `runner`, which lasts from `createdAt` to its deletion. */
  traceparent: z.string().optional(),
  /** Of the poll whose demand asked for it: the parent of that span, or of another trace. */
  tracedFrom: z.string().optional(),
});
export type Runner = z.infer<typeof runnerSchema>;

/**
 * For this long a deleted runner's key remembers that it was deleted, so that a plan which named the
 * runner and never heard of it again does not make it a second time; in ms.
 */
export const deletedRunnerKeptMs = 120_000;

/** The key of a runner's record: all runners of a scale set share a prefix. */
export function runnerKey(scaleSetId: string, runnerId: string): string {
  return `${scaleSetId}.${runnerId}`;
}

export function runnerName(prefix: string, installationId: string, runnerId: string): string {
  return `${prefix}-${installationId}-${runnerId}`;
}

/** Of runner ids and name suffixes: nothing that is mistaken for something else, no `0` or `1`. */
export const runnerIdAlphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
export const runnerIdLength = 10;
/** GitHub allows 64 characters, of which the longest name of a first attempt leaves four. */
const suffixLength = 3;
/** A name of a later attempt: the id, a `0`, which no id has, and the suffix. */
const laterName = new RegExp(
  `^(.+-[${runnerIdAlphabet}]{${runnerIdLength}})0([${runnerIdAlphabet}]{${suffixLength}})$`,
);

/**
 * The name of another attempt at the same runner; never the one before. `random` is like
 * `Math.random`. The runner id stays what `runnerIdOf` finds.
 */
export function nextRunnerName(name: string, random: () => number): string {
  const [, first = name, before] = laterName.exec(name) ?? [];
  const pick = () => Math.floor(random() * runnerIdAlphabet.length);
  const indexes = Array.from({ length: suffixLength }, pick);
  const text = (shift: number) =>
    indexes.map((index) => runnerIdAlphabet[(index + shift) % runnerIdAlphabet.length]).join('');
  return `${first}0${text(0) === before ? text(1) : text(0)}`;
}

/** The runner id in a runner name, or undefined when the name is not one of ours. */
export function runnerIdOf(name: string, installationId: string): string | undefined {
  const [, first = name] = laterName.exec(name) ?? [];
  const match = /^.+-([a-z0-9]+)-([a-z0-9]+)$/.exec(first);
  return match?.[1] === installationId ? match[2] : undefined;
}
