import { z } from 'zod';

/** The services that can handle their own dead letters again. */
export const replayServices = ['listener', 'provisioner', 'janitor'] as const;
export const replayServiceSchema = z.enum(replayServices);
export type ReplayService = z.infer<typeof replayServiceSchema>;

/** "Handle this dead letter again, then remove it." */
export const replayCommandSchema = z.looseObject({
  v: z.literal(1),
  /** Where it lies in the stream of dead letters, all parts; the first is the letter's id. */
  sequences: z.array(z.int().positive()).min(1),
});
export type ReplayCommand = z.infer<typeof replayCommandSchema>;

/** What became of a replay. Sent by core NATS to whoever waits: only the letter's absence is proof. */
export const replayOutcomeSchema = z.looseObject({
  v: z.literal(1),
  letterId: z.int().positive(),
  outcome: z.enum(['replayed', 'kept']),
  /** Why it was kept. */
  reason: z.string().optional(),
});
export type ReplayOutcome = z.infer<typeof replayOutcomeSchema>;
