import { z } from 'zod';

/**
 * Which scale set at GitHub is ours. Lies apart from the session record: it must outlive every
 * session, because only it proves that a scale set found by its name was created by us. Written by
 * the listener that holds the lease.
 */
export const registrationSchema = z.looseObject({
  v: z.literal(1),
  installationId: z.string(),
  scaleSetId: z.string(),
  /** Written before a scale set is created, so that one found after a crash is known as ours. */
  creating: z.boolean().optional(),
  github: z
    .looseObject({
      scaleSetId: z.int(),
      runnerGroupId: z.int(),
      /** Only what we created is ever deleted at GitHub. */
      createdByUs: z.boolean(),
      /** Hash of the group, labels and settings that were last sent. */
      registered: z.string(),
    })
    .optional(),
});
export type Registration = z.infer<typeof registrationSchema>;
