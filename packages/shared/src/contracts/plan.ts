import { z } from 'zod';
import { packPlaces, placesSchema } from './places.ts';
import { demandSchema, positionSchema } from './session-record.ts';
import { conditionSchema } from './status.ts';

/** A plan whose `freeAt` is older says nothing about what is free, in ms. */
export const planFreshMs = 60_000;

/** Why fewer runners are made than jobs and `minRunners` ask for; the first one that holds is told. */
export const waitReasons = [
  'disabled',
  'max-runners',
  /** The provider cannot be asked, or nobody configured it. */
  'provider',
  /** The runner program is too old for GitHub. */
  'outdated',
  /** Instances without a record run, which may have the jobs: they are counted until they are adopted. */
  'orphans',
  /** Runners fail before they do any work: one is tried now and then. */
  'breaker',
  'back-off',
  /** GitHub's count of jobs is not believed. */
  'ghost-demand',
  /** Too many instances of ended runners are not deleted yet. */
  'undeleted',
  'no-capacity',
] as const;
export type WaitReason = (typeof waitReasons)[number];

const backoffSchema = z.looseObject({
  /** Waves of failures in a row; 0 when it only waits for room. */
  failures: z.int(),
  /** Nothing is created before this; whoever is named from then on shows whether it works again. */
  retryAt: z.iso.datetime(),
  /** Class and text of the last failure. */
  reason: z.string(),
  class: z.string().optional(),
  /** `updatedAt` of the spec that it is about: another one begins anew. */
  specAt: z.iso.datetime().optional(),
});

/** What is held against GitHub's count of jobs; see `ghost-brake.ts` of the provisioner. */
const ghostSchema = z.looseObject({
  /** Runners that ended without a job while `assigned` jobs were told, since `since`. */
  unused: z.int().min(0),
  since: z.iso.datetime(),
  assigned: z.int().min(0),
  /** So many of the assigned jobs are not believed. */
  ghosts: z.int().min(0),
  /** Runners that were tried in vain since; the next is tried at `probeAt`. */
  probes: z.int().min(0),
  probeAt: z.iso.datetime(),
});

/**
 * The latest demand that asked for runners, until all of them are recorded: for their traces and for what is
 * measured, so that whoever records a runner knows what it was named for.
 */
const causeSchema = demandSchema.pick({ observedAt: true, traceparent: true }).extend({
  /** Runners that were named from `since` to `until` were named because of it: so many. */
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  named: z.int().min(0),
  /** How many more it asks for, which something holds up. */
  owed: z.int().min(0),
});
export type Cause = z.infer<typeof causeSchema>;

/**
 * Which runners of a scale set count as alive. A runner id is named here before its record exists,
 * so that any provisioner can finish what a dead one began. Written by provisioners.
 */
export const planSchema = z.looseObject({
  v: z.literal(1),
  scaleSetId: z.string(),
  /** The latest demand that was applied. */
  demand: positionSchema
    .extend(
      demandSchema.pick({
        assigned: true,
        observedAt: true,
        registered: true,
        busy: true,
        messageAt: true,
      }).shape,
    )
    .optional(),
  runners: placesSchema,
  cause: causeSchema.optional(),
  /** How many of `runners` have no instance yet: the provider does not count them. */
  pending: z.int().min(0).optional(),
  /** Instances that the provider could still run for this scale set. */
  free: z.int().min(0),
  freeAt: z.iso.datetime(),
  /** Since when more runners were alive than wanted; absent while that is not so. */
  surplusSince: z.iso.datetime().optional(),
  /** Creation failed: nothing is created before `retryAt`. */
  backoff: backoffSchema.optional(),
  ghost: ghostSchema.optional(),
  /** Runners of this generation exited with 7; one more is tried at `retryAt`. */
  outdated: z
    .looseObject({
      generation: z.string(),
      since: z.iso.datetime(),
      retryAt: z.iso.datetime(),
      /** How many were tried since. */
      tried: z.int().min(0).default(0),
    })
    .optional(),
  /** Since when GitHub counts what cannot be, and delivers nothing. */
  mute: z.looseObject({ since: z.iso.datetime() }).optional(),
  /** Why the provider cannot be asked, and since when. */
  problem: z.looseObject({ since: z.iso.datetime(), text: z.string() }).optional(),
  /** Why `missing` runners that are asked for are not made now. */
  waiting: z
    .looseObject({
      /** One of `waitReasons`; a later version may know more. */
      reason: z.string(),
      missing: z.int().min(1),
      text: z.string(),
      /** When it is looked at again, where that is known. */
      until: z.iso.datetime().optional(),
    })
    .optional(),
  /** What is wrong with the scale set, as far as provisioners see it; those of listeners lie in its status. */
  conditions: z.array(conditionSchema).optional(),
});
export type Plan = z.infer<typeof planSchema>;

/** A plan as it is written. */
export function packPlan({ runners, ...rest }: Plan): z.input<typeof planSchema> {
  return { ...rest, runners: packPlaces(runners) };
}
