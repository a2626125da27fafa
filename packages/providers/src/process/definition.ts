import { isAbsolute } from 'node:path';
import { z } from 'zod';

const hostIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

/** Runners as processes on the host of the service. */
export const processDefinitionSchema = z.strictObject({
  type: z.literal('process'),
  directory: absolutePath.describe(
    'Where instances live. All services that share it share a host.',
  ),
  command: z
    .tuple([absolutePath], z.string())
    .describe('The runner program and its arguments, for example ["/opt/runner/run.sh"].'),
  maxInstances: z.int().min(1).default(100).describe('How many instances may exist at once.'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe('Further environment variables for the runner program.'),
  hostId: hostIdSchema
    .optional()
    .describe('The identity of the host. Default: made of its machine id and the directory.'),
  stopTimeoutMs: z
    .int()
    .min(0)
    .default(5000)
    .describe('How long a runner may take to end after SIGTERM before SIGKILL, in ms.'),
});

export type ProcessDefinition = z.output<typeof processDefinitionSchema>;

/** A scale set has no say in how a process is run: whoever writes a spec cannot run code here. */
export const processSettingsSchema = z.strictObject({}).nullish();
