import { z } from 'zod';

/** The parts of a pod that are read or changed here; everything else is passed on as it is. */
const namedSchema = z.looseObject({ name: z.string() });
const mountSchema = z.looseObject({ name: z.string(), mountPath: z.string() });
const containerSchema = z.looseObject({
  name: z.string().min(1),
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  env: z.array(namedSchema).optional(),
  volumeMounts: z.array(mountSchema).optional(),
  securityContext: z.looseObject({}).optional(),
});
export const podSpecSchema = z.looseObject({
  containers: z.array(containerSchema).optional(),
  initContainers: z.array(containerSchema).optional(),
  volumes: z.array(namedSchema).optional(),
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  securityContext: z.looseObject({}).optional(),
});
const stringsSchema = z.record(z.string(), z.string());

/** A pod template as its author may be trusted to write it: the operator. */
export const looseTemplateSchema = z.strictObject({
  metadata: z
    .strictObject({ labels: stringsSchema.optional(), annotations: stringsSchema.optional() })
    .optional(),
  spec: podSpecSchema.optional(),
});

export type Container = z.output<typeof containerSchema>;
export type PodSpec = z.output<typeof podSpecSchema>;

export const runnerContainerName = 'runner';

/** As scale sets of actions-runner-controller name them. */
export const containerModeTypes = ['none', 'dind', 'kubernetes', 'kubernetes-novolume'] as const;
