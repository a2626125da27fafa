import { z } from 'zod';
import { positionSchema } from './session-record.ts';
import { conditionSchema } from './status.ts';

/** A plan whose `freeAt` is older says nothing about what is free, in ms. */
export const planFreshMs = 60_000;

/**
 * Which runners of a scale set count as alive. A runner id is named here before its record exists,
 * so that any provisioner can finish what a dead one began. Written by provisioners.
 */
export const planSchema = z.looseObject({
  v: z.literal(1),
  scaleSetId: z.string(),
  /** The latest demand that was applied. */
  demand: positionSchema
    .extend({ assigned: z.int().min(0), observedAt: z.iso.datetime() })
    .optional(),
  runners: z.array(
    z.looseObject({
      runnerId: z.string(),
      /** The runner's record is known to have been written. */
      recorded: z.boolean(),
      namedAt: z.iso.datetime(),
    }),
  ),
  /** Instances that the provider could still run for this scale set. */
  free: z.int().min(0),
  freeAt: z.iso.datetime(),
  /** Since when more runners were alive than wanted; absent while that is not so. */
  surplusSince: z.iso.datetime().optional(),
  /** Creation failed: nothing is created before `retryAt`. */
  backoff: z
    .looseObject({ failures: z.int(), retryAt: z.iso.datetime(), reason: z.string() })
    .optional(),
  /** What is wrong with the scale set, as far as provisioners see it; those of listeners lie in its status. */
  conditions: z.array(conditionSchema).optional(),
});
export type Plan = z.infer<typeof planSchema>;
