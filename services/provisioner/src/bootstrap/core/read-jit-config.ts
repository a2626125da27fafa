import { ContractError } from '@baton/shared/errors';
import { z } from 'zod';

const base64Text = z.base64().transform((text) => Buffer.from(text, 'base64').toString('utf8'));
const jitFilesSchema = z.object({
  '.runner': base64Text,
  '.credentials': base64Text,
  '.credentials_rsaparams': base64Text,
});

/** The files that a runner is configured with, by the names that the bootstrap asks for. */
export interface JitFiles {
  runner: string;
  credentials: string;
  credentials_rsaparams: string;
}

/** @throws ContractError, without its content, for what is no JIT config. */
export function readJitConfig(encoded: string): JitFiles {
  try {
    const files: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
    const read = jitFilesSchema.parse(files);
    return {
      runner: read['.runner'],
      credentials: read['.credentials'],
      credentials_rsaparams: read['.credentials_rsaparams'],
    };
  } catch {
    throw new ContractError('the JIT config that GitHub gave does not hold the three files of one');
  }
}
