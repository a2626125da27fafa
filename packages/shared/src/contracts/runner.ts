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
const markReasons = [
  'completed',
  'exited',
  'create-failed',
  'surplus',
  'rotation',
  'registration-deadline',
  'operator',
] as const;

const markSchema = z.looseObject({
  reason: z.enum(markReasons),
  /**
   * `none`: compute goes at once, GitHub is told when it can be. `github`: compute goes only after
   * GitHub accepted the deregistration, because the runner might have taken a job.
   */
  gate: z.enum(['none', 'github']),
  by: z.string(),
  at: z.iso.datetime(),
});
export type Mark = z.infer<typeof markSchema>;

/** How far a deletion has come; every step may be repeated. */
const deletionSchema = z.looseObject({
  attempts: z.int().min(0),
  deregistered: z.boolean(),
  instanceDeleted: z.boolean(),
  retryAt: z.iso.datetime().optional(),
  lastError: z.string().optional(),
});

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
    .looseObject({ v: z.literal(1), identity: z.string(), incarnation: z.string() })
    .optional(),
  /** The host that its instance is on, where the provider is of one host. */
  hostId: z.string().optional(),
  /** When it was first known to be online. */
  onlineAt: z.iso.datetime().optional(),
  /** How far a long create is, for people. */
  progress: z.string().optional(),
  /** A create that GitHub could not serve yet is asked for again at this time. */
  retryAt: z.iso.datetime().optional(),
  job: z.looseObject({ jobId: z.string(), startedAt: z.iso.datetime() }).optional(),
  /** The demand that already knew that this runner's job is over. */
  completedIn: positionSchema.optional(),
  exit: z.looseObject({ code: z.int().optional(), at: z.iso.datetime() }).optional(),
  failure: z.looseObject({ class: z.string(), text: z.string() }).optional(),
  mark: markSchema.optional(),
  deletion: deletionSchema.optional(),
  traceparent: z.string().optional(),
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

/** The runner id at the end of a runner name, or undefined when the name is not one of ours. */
export function runnerIdOf(name: string, installationId: string): string | undefined {
  const match = /^.+-([a-z0-9]+)-([a-z0-9]+)$/.exec(name);
  return match?.[1] === installationId ? match[2] : undefined;
}
