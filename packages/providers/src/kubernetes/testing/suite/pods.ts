import { z } from 'zod';
import type { Json } from '../admin-client.ts';
import type { TestNamespace } from '../cluster.ts';

export const { signal } = new AbortController();

const listSchema = z.object({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string(), uid: z.string() }) })),
});

/** What is really there, whoever made it. */
export async function listed({ admin, path }: TestNamespace, kind: 'pods' | 'secrets') {
  return listSchema.parse(await admin.ok('GET', `${path}/${kind}`)).items;
}

export async function setStatus(
  { admin, path }: TestNamespace,
  pod: string,
  status: Json,
): Promise<void> {
  await admin.ok('PATCH', `${path}/pods/${pod}/status`, { status });
}

/** The status of a container that waits, as a kubelet writes it. */
export function waiting(reason: string, message: string): Json {
  const state = { waiting: { reason, message } };
  return {
    phase: 'Pending',
    containerStatuses: [
      { name: 'runner', image: 'x', imageID: '', ready: false, restartCount: 0, state },
    ],
  };
}

/** A pod that an API server accepts. */
export function plainPod(name: string, labels: Record<string, string> = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'none' }] },
  };
}
