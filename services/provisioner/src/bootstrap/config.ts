import { wholeNumber } from '@baton/shared/config';
import { AppError } from '@baton/shared/errors';
import { SealingKeys } from '@baton/shared/sealing';
import { z } from 'zod';

/** Parsed here, so that its problem is told together with all others; never with its value. */
const sealingKeysSchema = z.string().transform((text, context) => {
  try {
    return SealingKeys.parse(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

/** Only for providers whose instances fetch what they run with. */
export const bootstrapVariables = {
  bootstrapUrl: {
    variable: 'BATON_BOOTSTRAP_URL',
    schema: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !URL.parse(url)?.password, { error: 'must not hold a password' })
      .transform((url) => url.replace(/\/+$/, ''))
      .optional()
      .describe('where instances reach the bootstrap port of the provisioners'),
  },
  bootstrapHost: { variable: 'BATON_BOOTSTRAP_HOST', schema: z.string().default('0.0.0.0') },
  bootstrapPort: {
    variable: 'BATON_BOOTSTRAP_PORT',
    schema: wholeNumber({ default: 8_081, min: 0, max: 65_535 }),
  },
  bootstrapCertFile: {
    variable: 'BATON_BOOTSTRAP_CERT_FILE',
    schema: z.string().optional().describe('PEM chain; without it TLS must end before the port'),
  },
  bootstrapKeyFile: {
    variable: 'BATON_BOOTSTRAP_KEY_FILE',
    schema: z.string().optional().describe('PEM key of that chain'),
  },
  sealingKeys: {
    variable: 'BATON_SEALING_KEY',
    schema: sealingKeysSchema.optional().describe('ID:KEY entries, the current one first'),
  },
};

export interface BootstrapConfig {
  bootstrapUrl?: string | undefined;
  bootstrapHost: string;
  bootstrapPort: number;
  bootstrapCertFile?: string | undefined;
  bootstrapKeyFile?: string | undefined;
  sealingKeys?: SealingKeys | undefined;
}
