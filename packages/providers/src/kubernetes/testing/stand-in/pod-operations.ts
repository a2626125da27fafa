import { z } from 'zod';
import { badRequest, conflict } from './api-status.ts';
import {
  type Collection,
  type KubeObject,
  type ObjectStore,
  objectSchema,
} from './object-store.ts';

const deleteOptionsSchema = z
  .strictObject({
    apiVersion: z.literal('v1').optional(),
    kind: z.literal('DeleteOptions').optional(),
    gracePeriodSeconds: z.int().min(0).optional(),
    propagationPolicy: z.enum(['Orphan', 'Background', 'Foreground']).optional(),
    preconditions: z
      .strictObject({ uid: z.string().optional(), resourceVersion: z.string().optional() })
      .optional(),
  })
  .default({});

export type DeleteOptions = z.output<typeof deleteOptionsSchema>;

export function readDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const parsed = deleteOptionsSchema.safeParse(body);
  if (!parsed.success) throw badRequest('DeleteOptions cannot be decoded');
  const grace = query.get('gracePeriodSeconds');
  return grace === null ? parsed.data : { ...parsed.data, gracePeriodSeconds: Number(grace) };
}

const podSchema = z.looseObject({
  spec: z.looseObject({
    nodeName: z.string().optional(),
    terminationGracePeriodSeconds: z.int().default(30),
  }),
  status: z.looseObject({ phase: z.string() }),
});

/**
 * Deletes an object. A pod that is on a node and has not ended is only marked, and goes when its
 * kubelet deletes it with a grace period of 0; a grace period can be shortened, never prolonged.
 */
export function deleteObject(
  store: ObjectStore,
  collection: Collection,
  { metadata }: KubeObject,
  options: DeleteOptions,
): KubeObject {
  const { name } = metadata;
  const object = store.get(collection, name);
  const { uid } = options.preconditions ?? {};
  if (uid !== undefined && uid !== object.metadata.uid)
    throw conflict(
      collection.resource,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (collection.resource !== 'pods') return store.remove(collection, name);
  const { spec, status } = podSchema.parse(object);
  const isIdle = !spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed';
  const seconds = isIdle ? 0 : (options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds);
  if (seconds === 0) return store.remove(collection, name);
  const known = Number(object.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY);
  if (object.metadata.deletionTimestamp && known <= seconds) return object;
  const deletionTimestamp = `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;
  const marked = { deletionTimestamp, deletionGracePeriodSeconds: seconds };
  return store.replace(collection, {
    ...object,
    metadata: { ...object.metadata, ...marked },
  });
}

const bindingSchema = z.looseObject({ target: z.looseObject({ name: z.string().min(1) }) });

/** The scheduler's write: a pod goes to a node, once. */
export function bindPod(store: ObjectStore, pods: Collection, name: string, body: unknown): void {
  const { target } = bindingSchema.parse(body);
  const pod = store.get(pods, name);
  const { spec, status } = podSchema.parse(pod);
  if (pod.metadata.deletionTimestamp) throw conflict('pods/binding', name, 'pod is being deleted');
  if (spec.nodeName)
    throw conflict('pods/binding', name, `pod is already assigned to node "${spec.nodeName}"`);
  store.replace(pods, {
    ...pod,
    spec: { ...spec, nodeName: target.name },
    status: { ...status, conditions: [{ type: 'PodScheduled', status: 'True' }] },
  });
}

const patchSchema = z.looseObject({
  metadata: z.looseObject({ uid: z.string().optional() }).default({}),
  status: z.looseObject({}),
});

/** A merge patch of the status; lists are replaced. Whatever else the patch holds has no effect. */
export function patchStatus(
  store: ObjectStore,
  collection: Collection,
  name: string,
  body: unknown,
): KubeObject {
  const object = store.get(collection, name);
  const { metadata, status } = patchSchema.parse(body);
  if (metadata.uid !== undefined && metadata.uid !== object.metadata.uid)
    throw conflict(collection.resource, name, 'Precondition failed: UID in precondition');
  const before = z.looseObject({}).parse(object.status ?? {});
  return store.replace(
    collection,
    objectSchema.parse({ ...object, status: { ...before, ...status } }),
  );
}
