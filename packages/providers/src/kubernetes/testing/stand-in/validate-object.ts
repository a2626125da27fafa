import { z } from 'zod';
import { ApiStatus, badRequest, invalid, type Problem } from './api-status.ts';
import { type KubeObject, objectSchema } from './object-store.ts';
import { unknownFields } from './pod-fields.ts';

const kinds: Record<string, string> = {
  namespaces: 'Namespace',
  pods: 'Pod',
  resourcequotas: 'ResourceQuota',
  rolebindings: 'RoleBinding',
  roles: 'Role',
  secrets: 'Secret',
  serviceaccounts: 'ServiceAccount',
};

export function kindOf(resource: string): string {
  return kinds[resource] ?? resource;
}

interface Incoming {
  resource: string;
  namespace: string;
  body: unknown;
  isStrict: boolean;
}

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** An object that is to be created. @throws ApiStatus 400 or 422 for one that cannot be. */
export function readObject({ resource, namespace, body, isStrict }: Incoming): KubeObject {
  const kind = kindOf(resource);
  const parsed = objectSchema.safeParse(body);
  if (!parsed.success) throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}`);
  const object = parsed.data;
  if (object.kind !== kind)
    throw badRequest(`${String(object.kind)} in version "v1" cannot be handled as a ${kind}`);
  if (isStrict && (kind === 'Pod' || kind === 'Secret')) refuseUnknown(kind, body);
  refuseMetadata(object, namespace);
  const problems = [...metadataProblems(object), ...(kind === 'Pod' ? podProblems(object) : [])];
  if (problems.length > 0) throw invalid(kind, object.metadata.name, problems);
  if (kind === 'Secret') refuseData(object);
  return object;
}

function refuseUnknown(kind: string, body: unknown): void {
  const unknown = unknownFields(kind, body).map((path) => `unknown field "${path}"`);
  if (unknown.length > 0)
    throw badRequest(
      `${kind} in version "v1" cannot be handled as a ${kind}: strict decoding error: ${unknown.join(', ')}`,
    );
}

function refuseMetadata({ metadata }: KubeObject, namespace: string): void {
  if (metadata.resourceVersion !== '')
    throw new ApiStatus(
      500,
      undefined,
      'resourceVersion should not be set on objects to be created',
    );
  const own = metadata.namespace;
  if (own !== undefined && own !== namespace)
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
}

function refuseData(object: KubeObject): void {
  const data = z.record(z.string(), z.string()).parse(object.data ?? {});
  for (const value of Object.values(data))
    if (Buffer.from(value, 'base64').toString('base64') !== value)
      throw badRequest('Secret in version "v1" cannot be handled as a Secret: illegal base64 data');
}

function metadataProblems({ metadata }: KubeObject): Problem[] {
  const { name, labels = {} } = metadata;
  const problems: Problem[] = [];
  if (!dnsSubdomain.test(name) || name.length > 253)
    problems.push({ field: 'metadata.name', message: `Invalid value: "${name}"` });
  for (const value of Object.values(labels))
    if (value.length > 63 || !labelValue.test(value))
      problems.push({ field: 'metadata.labels', message: `Invalid value: "${value}"` });
  return problems;
}

const containerSchema = z.looseObject({
  name: z.string().default(''),
  image: z.string().default(''),
  restartPolicy: z.string().optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});
const specSchema = z.looseObject({
  containers: z.array(containerSchema).default([]),
  initContainers: z.array(containerSchema).default([]),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
  restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).default('Always'),
});

function podProblems(object: KubeObject): Problem[] {
  const parsed = specSchema.safeParse(object.spec ?? {});
  if (!parsed.success) throw badRequest('Pod in version "v1" cannot be handled as a Pod');
  const { containers, initContainers, volumes } = parsed.data;
  if (containers.length === 0) return [{ field: 'spec.containers', message: 'Required value' }];
  const volumeNames = new Set(volumes.map(({ name }) => name));
  const seen = new Set<string>();
  return [
    ...volumes.flatMap(volumeProblems),
    ...Object.entries({ containers, initContainers }).flatMap(([list, members]) =>
      members.flatMap((member, index) =>
        containerProblems(member, { field: `spec.${list}[${index}]`, volumeNames, seen }),
      ),
    ),
  ];
}

function volumeProblems(volume: Record<string, unknown>, index: number): Problem[] {
  const types = Object.keys(volume).filter((key) => key !== 'name');
  const field = `spec.volumes[${index}]`;
  if (types.length <= 1) return [];
  const message = 'Forbidden: may not specify more than 1 volume type';
  return [{ field: `${field}.${types[1]}`, message }];
}

interface Place {
  field: string;
  volumeNames: ReadonlySet<string>;
  seen: Set<string>;
}

function containerProblems(
  { name, image, volumeMounts }: z.output<typeof containerSchema>,
  { field, volumeNames, seen }: Place,
): Problem[] {
  const problems: Problem[] = [];
  if (name === '') problems.push({ field: `${field}.name`, message: 'Required value' });
  if (image === '') problems.push({ field: `${field}.image`, message: 'Required value' });
  if (seen.has(name))
    problems.push({ field: `${field}.name`, message: `Duplicate value: "${name}"` });
  seen.add(name);
  volumeMounts.forEach((mount, index) => {
    if (!volumeNames.has(mount.name))
      problems.push({
        field: `${field}.volumeMounts[${index}].name`,
        message: `Not found: "${mount.name}"`,
      });
  });
  return problems;
}
