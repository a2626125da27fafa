import { z } from 'zod';
import { evidenceSchema } from './runner.ts';

/** What a janitor looks for by the clock; each may be run alone, and each has one leader at a time. */
export const sweepNames = [
  'stuck-creating',
  'never-registered',
  'offline',
  'lost',
  'finished',
  'orphan-instances',
  'orphan-registrations',
] as const;
const sweepNameSchema = z.enum(sweepNames);
export type SweepName = z.infer<typeof sweepNameSchema>;

/** One thing that a sweep does, or would do. */
const sweepFindingSchema = z.looseObject({
  action: z.enum(['mark', 'adopt', 'deregister']),
  /** Of the runner; of a registration that belongs to none, the one in its name. */
  runnerId: z.string(),
  runnerName: z.string(),
  scaleSetId: z.string().optional(),
  /** Why, for people. */
  text: z.string(),
  evidence: evidenceSchema.optional(),
  /** It waits for a confirmation. */
  held: z.boolean().optional(),
});
export type SweepFinding = z.infer<typeof sweepFindingSchema>;

/** More than may go at once: nothing of it is done before an operator confirms it. */
const sweepHoldSchema = z.looseObject({
  id: z.string(),
  since: z.iso.datetime(),
  /** How many would go, of how many that were looked at. */
  count: z.int(),
  of: z.int(),
  /** The ids of the runners: a confirmation is for these and for no others. */
  runnerIds: z.array(z.string()),
  text: z.string(),
});
export type SweepHold = z.infer<typeof sweepHoldSchema>;

/** What became of a sweep's last run; written by who holds its lease. */
export const sweepStateSchema = z.looseObject({
  v: z.literal(1),
  sweep: sweepNameSchema,
  /** The host whose instances it is about, where a provider is of one host. */
  hostId: z.string().optional(),
  by: z.string(),
  startedAt: z.iso.datetime(),
  tookMs: z.number(),
  lookedAt: z.int(),
  acted: z.int(),
  /** What was left alone, by why. */
  left: z.record(z.string(), z.int()),
  /** How many it has marked in which runs of late: the guard counts them together. */
  recent: z.array(z.looseObject({ at: z.iso.datetime(), count: z.int() })).default([]),
  hold: sweepHoldSchema.optional(),
  /** Why it decided nothing. */
  problem: z.string().optional(),
});
export type SweepState = z.infer<typeof sweepStateSchema>;

/** The operator's word that what is held may go. */
export const sweepConfirmationSchema = z.looseObject({
  v: z.literal(1),
  holdId: z.string(),
  by: z.string(),
  at: z.iso.datetime(),
});
export type SweepConfirmation = z.infer<typeof sweepConfirmationSchema>;

/** The key of a sweep's state: written by janitors, and by nobody else. */
export function sweepKey(sweep: SweepName, hostId?: string): string {
  return hostId === undefined ? `state.${sweep}` : `state.${sweep}.${hostId}`;
}

/** The key of its confirmation: written by the CLI, and by nobody else. */
export function sweepConfirmationKey(sweep: SweepName, hostId?: string): string {
  return hostId === undefined ? `confirm.${sweep}` : `confirm.${sweep}.${hostId}`;
}

/** Asked of all janitors; those that lead the sweep answer. */
export const sweepRequestSchema = z.looseObject({
  v: z.literal(1),
  sweep: sweepNameSchema,
  /** Say what would be done, and do nothing. */
  dryRun: z.boolean(),
  timeoutMs: z.int(),
});
export type SweepRequest = z.infer<typeof sweepRequestSchema>;

export const sweepAnswerSchema = z.looseObject({
  v: z.literal(1),
  instance: z.string(),
  /** `here`: it leads and is at it; `idle`: it does not lead any part of this sweep. */
  kind: z.enum(['here', 'idle', 'done', 'failed']),
  hostId: z.string().optional(),
  lookedAt: z.int().optional(),
  left: z.record(z.string(), z.int()).optional(),
  /** As many as fit into an answer; `count` says how many there are. */
  findings: z.array(sweepFindingSchema).optional(),
  count: z.int().optional(),
  hold: sweepHoldSchema.optional(),
  problem: z.string().optional(),
});
export type SweepAnswer = z.infer<typeof sweepAnswerSchema>;
