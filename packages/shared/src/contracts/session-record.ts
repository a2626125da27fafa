import { z } from 'zod';

/** Orders demands and claims: later epoch first, then later sequence. */
export const positionSchema = z.looseObject({ epoch: z.int(), seq: z.int().min(0) });
export type Position = z.infer<typeof positionSchema>;

/** Negative when `a` is earlier than `b`, 0 when they are the same. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

/** How many jobs GitHub has assigned to a scale set, as the listener counts them. */
export const demandSchema = z.looseObject({
  epoch: z.int(),
  seq: z.int().min(0),
  /** Jobs assigned and not completed, running ones included. */
  assigned: z.int().min(0),
  /** Listener's wall clock when GitHub answered. */
  observedAt: z.iso.datetime(),
  /** Runners that GitHub counts for the scale set: registered, and of those with and without a job. */
  registered: z.int().min(0).optional(),
  busy: z.int().min(0).optional(),
  idle: z.int().min(0).optional(),
  /** When GitHub last delivered a message that was about jobs, in any session. */
  messageAt: z.iso.datetime().optional(),
  /** W3C trace context of the poll that brought it. */
  traceparent: z.string().optional(),
});
export type Demand = z.infer<typeof demandSchema>;

/** A message that is published and not yet deleted at GitHub. */
const ringEntrySchema = z.looseObject({ messageId: z.string(), bodyHash: z.string() });
export type RingEntry = z.infer<typeof ringEntrySchema>;

/** What outlives a lease: what GitHub believes, and the latest demand. Written by listeners. */
export const sessionRecordSchema = z.looseObject({
  v: z.literal(1),
  installationId: z.string(),
  scaleSetId: z.string(),
  epoch: z.int(),
  /** Identity and incarnation of the listener that claimed the epoch. */
  owner: z.string(),
  session: z
    .looseObject({ sessionId: z.string(), ownerName: z.string(), openedAt: z.iso.datetime() })
    .optional(),
  ring: z.array(ringEntrySchema),
  demand: demandSchema.optional(),
});
export type SessionRecord = z.infer<typeof sessionRecordSchema>;
