import { z } from 'zod';

/** What the operator writes into the providers file. Every field says what it does. */
export const templateDefinitionSchema = z.strictObject({
  type: z.literal('template'),
  url: z.url().describe('Where its API is.'),
  maxInstances: z.int().min(1).default(100).describe('How many instances may exist at once.'),
});

export type TemplateDefinition = z.output<typeof templateDefinitionSchema>;

/**
 * What a scale set may say. Whoever writes a scale-set file must not be able to run code in a service
 * or to send something elsewhere: offer choices, never commands, hosts or paths.
 */
export const templateSettingsSchema = z
  .strictObject({ size: z.enum(['small', 'large']).default('small') })
  .nullish();
