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
      /** The group's name when its id was looked up: a group that is renamed keeps its id. */
      group: z.string().optional(),
      /** What GitHub did not do as asked; it is asked again whenever a session is opened. */
      problems: z.array(z.looseObject({ type: z.string(), text: z.string() })).optional(),
    })
    .optional(),
  /**
   * What GitHub said was gone. Should it be there after all it is known by its id, and one that has
   * its name and another id is somebody else's.
   */
  before: z
    .looseObject({
      scaleSetId: z.int(),
      runnerGroupId: z.int(),
      createdByUs: z.boolean(),
      group: z.string().optional(),
    })
    .optional(),
});
export type Registration = z.infer<typeof registrationSchema>;
