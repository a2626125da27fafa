import { z } from 'zod';

const stateSchema = z.enum([
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
]);

/** A container in a list. */
export const summarySchema = z.object({
  Id: z.string(),
  /** Seconds since 1970. */
  Created: z.number(),
  State: stateSchema,
  Labels: z
    .record(z.string(), z.string())
    .nullish()
    .transform((labels) => labels ?? {}),
});

export type ContainerSummary = z.output<typeof summarySchema>;

/** A container looked at by itself. */
export const inspectionSchema = z.object({
  Id: z.string(),
  State: z.object({
    Status: stateSchema,
    ExitCode: z.number(),
    Error: z.string(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({ Memory: z.number().default(0) }),
});

export type Inspection = z.output<typeof inspectionSchema>;

export const createdSchema = z.object({ Id: z.string() });
export const infoSchema = z.object({ ID: z.string() });
