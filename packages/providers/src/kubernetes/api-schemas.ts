import { z } from 'zod';

/** What is read of the API's answers; everything else is passed over. */
const time = z.string().nullish();
const reasonSchema = { reason: z.string().nullish(), message: z.string().nullish() };

const containerStatusSchema = z.object({
  name: z.string(),
  state: z
    .object({
      waiting: z.object(reasonSchema).nullish(),
      running: z.object({ startedAt: time }).nullish(),
      terminated: z.object({ ...reasonSchema, exitCode: z.int(), finishedAt: time }).nullish(),
    })
    .nullish(),
});

const metadataSchema = z.object({
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  creationTimestamp: z.string(),
  deletionTimestamp: time,
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

export const podSchema = z.object({
  metadata: metadataSchema,
  status: z
    .object({
      ...reasonSchema,
      phase: z.string().nullish(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), ...reasonSchema }))
        .nullish(),
      containerStatuses: z.array(containerStatusSchema).nullish(),
      initContainerStatuses: z.array(containerStatusSchema).nullish(),
    })
    .nullish(),
});

export type Pod = z.output<typeof podSchema>;
export type PodStatus = NonNullable<Pod['status']>;
export type ContainerStatus = z.output<typeof containerStatusSchema>;

export const podListSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().nullish() }),
  items: z.array(podSchema),
});

/** A bookmark is a pod with nothing but its version; an error is a `Status`. */
export const watchEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: podSchema }),
  z.object({ type: z.literal('BOOKMARK') }),
  z.object({ type: z.literal('ERROR'), object: z.unknown() }),
]);

export const statusSchema = z.object({
  kind: z.literal('Status'),
  ...reasonSchema,
  code: z.int().nullish(),
  details: z
    .object({
      kind: z.string().nullish(),
      retryAfterSeconds: z.number().nullish(),
      causes: z.array(z.object({ reason: z.string().nullish() })).nullish(),
    })
    .nullish(),
});

export type Status = z.output<typeof statusSchema>;

export const quotaListSchema = z.object({
  items: z.array(
    z.object({
      spec: z
        .object({ scopes: z.array(z.string()).nullish(), scopeSelector: z.unknown().optional() })
        .nullish(),
      status: z
        .object({
          hard: z.record(z.string(), z.string()).nullish(),
          used: z.record(z.string(), z.string()).nullish(),
        })
        .nullish(),
    }),
  ),
});

export const versionSchema = z.object({ major: z.string(), minor: z.string() });
