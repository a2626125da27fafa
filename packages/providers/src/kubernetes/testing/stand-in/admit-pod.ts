import { z } from 'zod';
import { forbidden } from './api-status.ts';
import type { KubeObject, ObjectStore } from './object-store.ts';

const quotaSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), resourceVersion: z.string(), uid: z.string() }),
  status: z
    .looseObject({
      hard: z.record(z.string(), z.string()).optional(),
      used: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
});
const specSchema = z.looseObject({ serviceAccountName: z.string().default('default') });

/**
 * What the API server's own admission does to a new pod: its service account must exist, and quotas
 * that count pods must have room. They count upwards only; counting down is a controller's work.
 */
export function admitPod(store: ObjectStore, namespace: string, pod: KubeObject): KubeObject {
  const { name } = pod.metadata;
  const spec = specSchema.parse(pod.spec ?? {});
  if (!store.has({ resource: 'serviceaccounts', namespace }, spec.serviceAccountName))
    throw forbidden(
      'pods',
      name,
      `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount "${spec.serviceAccountName}" not found`,
    );
  const collection = { resource: 'resourcequotas', namespace };
  for (const found of store.list(collection)) {
    const quota = quotaSchema.parse(found);
    const { hard = {}, used = {} } = quota.status ?? {};
    if (hard.pods === undefined) continue;
    const usedPods = Number(used.pods ?? 0);
    if (usedPods + 1 > Number(hard.pods))
      throw forbidden(
        'pods',
        name,
        `exceeded quota: ${quota.metadata.name}, requested: pods=1, used: pods=${usedPods}, limited: pods=${hard.pods}`,
      );
    const status = { ...quota.status, used: { ...used, pods: String(usedPods + 1) } };
    store.replace(collection, { ...quota, status });
  }
  return { ...pod, spec, status: { phase: 'Pending', qosClass: 'BestEffort' } };
}
