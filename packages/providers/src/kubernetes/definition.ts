import { z } from 'zod';
import { containerModeTypes, looseTemplateSchema } from './template.ts';

const milliseconds = z.int().min(0).max(3_600_000);
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a DNS label: a-z, 0-9 and -, at most 63');

const allowSchema = z.strictObject({
  containerModes: z
    .array(z.enum(containerModeTypes))
    .default(['none'])
    .describe('Container modes that a scale set may use. `dind` makes its jobs as strong as root.'),
  privileged: z
    .boolean()
    .default(false)
    .describe('Whether a template may ask for privileged containers, capabilities and the like.'),
  serviceAccounts: z
    .array(z.string().min(1))
    .default([])
    .describe('Service accounts that a template may name, besides `serviceAccountName`.'),
  volumes: z
    .array(z.string().min(1))
    .default([])
    .describe('Further types of volumes for templates: `hostPath`, `csi`, `nfs`.'),
  podFields: z
    .array(z.string().min(1))
    .default([])
    .describe('Further fields of the pod spec for templates: `hostNetwork`, `priorityClassName`.'),
});

/** Runners as pods of one namespace. */
export const kubernetesDefinitionSchema = z.strictObject({
  type: z.literal('kubernetes'),
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe('Kubeconfig file. Absent: the service account of the pod that the service runs in.'),
  context: z.string().min(1).optional().describe('Context of the kubeconfig. Absent: its current.'),
  namespace: dnsLabel.describe('Where the pods are made. Give runners one of their own.'),
  maxInstances: z.int().min(1).default(100).describe('Never more pods than this, dead or alive.'),
  podTemplate: looseTemplateSchema
    .default({})
    .describe('What every runner pod has; the template of a scale set is laid over it.'),
  serviceAccountName: z.string().min(1).optional().describe('Service account of the runner pods.'),
  dindImage: z.string().min(1).default('docker:dind').describe('Image of container mode `dind`.'),
  allow: allowSchema.prefault({}).describe('What scale sets may do beyond the ordinary.'),
  gracePeriodSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(30)
    .describe('How long a deleted pod may take to end before it is killed.'),
  requestTimeoutMs: milliseconds.min(100).default(15_000).describe('Longest wait for an answer.'),
  listMaxAgeMs: milliseconds
    .default(5_000)
    .describe('How long a watch that says nothing is believed before the pods are listed again.'),
  resourceQuota: z
    .boolean()
    .default(false)
    .describe('Whether the ResourceQuotas of the namespace count as capacity.'),
});

export type KubernetesDefinition = z.output<typeof kubernetesDefinitionSchema>;
