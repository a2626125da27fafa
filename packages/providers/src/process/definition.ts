import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { limitsSchema } from './cgroup/limits.ts';

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');
const hostIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
const cgroupSchema = z
  .string()
  .min(1)
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');
const idSchema = z.int().min(1);

const userSchema = z.strictObject({
  uid: idSchema,
  gid: idSchema,
  groups: z.array(idSchema).optional().describe('Supplementary groups. Default: none.'),
});
export type RunnerUser = z.output<typeof userSchema>;

const logsSchema = z.strictObject({
  fileBytes: z.int().min(4096).describe('How long one file may grow.'),
  files: z.int().min(2).max(100).describe('How many files each of stdout and stderr may have.'),
});
export const defaultLogs: z.output<typeof logsSchema> = { fileBytes: 5_242_880, files: 2 };

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
  logs: logsSchema.optional().describe('How much of what a runner writes is kept.'),
  user: userSchema.optional().describe('Who runners run as. The service must be root.'),
  cgroup: cgroupSchema
    .optional()
    .describe('The folder of cgroups for instances: /from/the/top, or from the own one.'),
  limits: limitsSchema.optional().describe('What one instance may use. Needs "cgroup".'),
});

export type ProcessDefinition = z.output<typeof processDefinitionSchema>;

/**
 * A scale set may ask for less than the definition allows, and has no other say in how a process is
 * run: whoever writes a spec cannot run code here.
 */
export const processSettingsSchema = z.strictObject({ limits: limitsSchema.optional() }).nullish();
