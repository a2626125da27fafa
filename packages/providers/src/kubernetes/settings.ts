import { z } from 'zod';
import type { KubernetesDefinition } from './definition.ts';
import { containerModeTypes, looseTemplateSchema, runnerContainerName } from './template.ts';

const containerModeSchema = z.strictObject({
  type: z.enum(containerModeTypes).default('none'),
  kubernetesModeWorkVolumeClaim: z.looseObject({}).optional(),
});

/** The settings of a scale set, for reading; `strictSettingsSchema` says which may be there at all. */
export const settingsSchema = z
  .strictObject({
    template: looseTemplateSchema.default({}),
    containerMode: containerModeSchema.prefault({}),
  })
  .prefault({});

export type Settings = z.output<typeof settingsSchema>;
export type ContainerMode = Settings['containerMode'];

const podFields = [
  'activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy',
  'enableServiceLinks hostAliases imagePullSecrets initContainers nodeSelector readinessGates',
  'restartPolicy securityContext serviceAccountName shareProcessNamespace',
  'terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes',
].flatMap((line) => line.split(' '));
const containerFields = [
  'args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe',
  'resizePolicy resources restartPolicy securityContext startupProbe terminationMessagePath',
  'terminationMessagePolicy tty volumeMounts workingDir',
].flatMap((line) => line.split(' '));
const volumeTypes = [
  'configMap downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret',
].flatMap((line) => line.split(' '));
const securityFields = [
  'fsGroup fsGroupChangePolicy readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser',
  'supplementalGroups supplementalGroupsPolicy',
].flatMap((line) => line.split(' '));

/**
 * What a scale set may set: fields that are listed, not fields that are forbidden, so that neither a
 * typing error nor a field that Kubernetes invents tomorrow gets through. Built per definition,
 * because the definition may allow more.
 */
export function strictSettingsSchema(definition: KubernetesDefinition): z.ZodType {
  const { allow } = definition;
  const securityContext = securityContextSchema(definition);
  const types = [...volumeTypes, ...allow.volumes];
  const volumeName = volumeNameSchema(definition);
  const container = z
    .strictObject({
      ...fields(containerFields),
      name: containerNameSchema(definition),
      restartPolicy: z.literal('Always').optional(),
      securityContext,
      ports: z.array(z.strictObject(fields(['containerPort', 'name', 'protocol']))).optional(),
      ...Object.fromEntries(probeFields.map((name) => [name, probeSchema])),
    })
    .partial({ securityContext: true });
  const spec = z.strictObject({
    ...fields([...podFields, ...allow.podFields]),
    containers: z.array(container).optional(),
    initContainers: z.array(container).optional(),
    volumes: z.array(z.strictObject({ ...fields(types), name: volumeName })).optional(),
    securityContext: securityContext.optional(),
    restartPolicy: z.literal('Never', 'must be Never: a JIT config is used once').optional(),
    serviceAccountName: serviceAccountSchema(definition),
  });
  const metadata = metadataSchema(definition);
  const template = z.strictObject({ metadata, spec: spec.optional() });
  return z
    .strictObject({
      template: template.optional(),
      containerMode: containerModeSchema.extend({ type: modeSchema(definition) }).optional(),
    })
    .nullish();
}

const probeFields = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'];

/** A probe of another host would make the kubelet call it. */
const probeSchema = z
  .unknown()
  .refine((probe) => !namesHost(probe), 'may not name a host')
  .optional();

function namesHost(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key === 'host' || namesHost(inner));
}

const ownPrefix = 'baton/';
const keysSchema = z.record(
  z.string().refine((key) => !key.startsWith(ownPrefix), `must not start with ${ownPrefix}`),
  z.string(),
);

/** What Kubernetes reads from annotations and not from a `securityContext`. */
const securityAnnotation =
  /^(container\.apparmor\.security\.beta|(container\.)?seccomp\.security\.alpha)\.kubernetes\.io\b/;

function metadataSchema({ allow }: KubernetesDefinition) {
  const annotations = keysSchema.superRefine((found, context) => {
    if (allow.privileged) return;
    for (const key of Object.keys(found).filter((name) => securityAnnotation.test(name)))
      context.addIssue({ code: 'custom', path: [key], message: "is the provider's to set" });
  });
  return z
    .strictObject({ labels: keysSchema.optional(), annotations: annotations.optional() })
    .optional();
}

function fields(names: readonly string[]): Record<string, z.ZodType> {
  return Object.fromEntries(names.map((name) => [name, z.unknown().optional()]));
}

/** Weakening what the operator's template sets is not for a scale set either. */
function securityContextSchema({ allow, podTemplate }: KubernetesDefinition): z.ZodType {
  if (allow.privileged) return z.looseObject({});
  const { spec } = podTemplate;
  const all = [spec, ...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const taken = new Set(all.flatMap((part) => Object.keys(part?.securityContext ?? {})));
  const free = securityFields.filter((name) => !taken.has(name));
  const own = {
    allowPrivilegeEscalation: z.literal(false).optional(),
    capabilities: z.strictObject({ drop: z.array(z.string()) }).optional(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }).optional(),
  };
  const rest = Object.entries(own).filter(([name]) => !taken.has(name));
  return z.strictObject({ ...fields(free), ...Object.fromEntries(rest) });
}

/** Another image in a container that the operator has given privileges would have them. */
function containerNameSchema(definition: KubernetesDefinition): z.ZodType {
  const taken = new Set(operatorsContainers(definition).map(({ name }) => name));
  return notAmong(taken, definition, "is the provider's own container");
}

/** So would other content of a volume that such a container runs programs from. */
function volumeNameSchema(definition: KubernetesDefinition): z.ZodType {
  const mounts = operatorsContainers(definition).flatMap(({ volumeMounts = [] }) => volumeMounts);
  const taken = new Set(mounts.map(({ name }) => name));
  return notAmong(taken, definition, "is mounted by a container of the provider's own");
}

function operatorsContainers({ podTemplate: { spec } }: KubernetesDefinition) {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return all.filter(({ name }) => name !== runnerContainerName);
}

function notAmong(
  taken: ReadonlySet<string>,
  { allow }: KubernetesDefinition,
  message: string,
): z.ZodType {
  return z
    .string()
    .min(1)
    .refine((name) => allow.privileged || !taken.has(name), message);
}

function serviceAccountSchema({ allow, serviceAccountName }: KubernetesDefinition): z.ZodType {
  const known = new Set([...allow.serviceAccounts, serviceAccountName]);
  return z
    .string()
    .refine((name) => known.has(name), "is not among the provider's allow.serviceAccounts")
    .optional();
}

function modeSchema({ allow }: KubernetesDefinition) {
  return z
    .enum(containerModeTypes)
    .default('none')
    .refine((mode) => mode === 'none' || allow.containerModes.includes(mode), {
      error: ({ input }) => `${String(input)} is not among the provider's allow.containerModes`,
    });
}
