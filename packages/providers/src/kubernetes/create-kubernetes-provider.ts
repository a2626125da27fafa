import type { ProviderDeps } from '../provider-deps.ts';
import { versionSchema } from './api-schemas.ts';
import { Connection, loadKubeConfig } from './connection.ts';
import type { KubernetesDefinition } from './definition.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import { KubernetesProvider } from './kubernetes-provider.ts';
import { PodRemover } from './pod-remover.ts';
import { PodView } from './pod-view.ts';
import { installationSelector } from './tags.ts';

/**
 * Reads the kubeconfig and builds the provider. The API server is not called: a cluster that is away
 * must not keep a service, which may have other providers, from starting.
 */
export async function createKubernetesProvider(
  definition: KubernetesDefinition,
  { installationId, clock }: ProviderDeps,
): Promise<KubernetesProvider> {
  const { namespace, requestTimeoutMs, listMaxAgeMs, gracePeriodSeconds, allow } = definition;
  const connection = new Connection(await loadKubeConfig(definition));
  const api = new KubernetesApi({ connection, clock, requestTimeoutMs });
  const namespacePath = `/api/v1/namespaces/${namespace}`;
  const view = new PodView({
    api,
    clock,
    path: `${namespacePath}/pods`,
    labelSelector: installationSelector(installationId),
    maxAgeMs: listMaxAgeMs,
  });
  const hasJobPods = allow.containerModes.some((mode) => mode.startsWith('kubernetes'));
  const remover = new PodRemover({
    api,
    view,
    clock,
    installationId,
    namespacePath,
    gracePeriodSeconds,
    hasJobPods,
  });
  const hasSidecars = sidecarsOf(api);
  return new KubernetesProvider({
    definition,
    installationId,
    clock,
    api,
    view,
    remover,
    namespacePath,
    hasSidecars,
  });
}

/** Init containers with `restartPolicy: Always` are on from this version of Kubernetes, 1.29. */
const firstMinorWithSidecars = 29;

function sidecarsOf(api: KubernetesApi): (signal: AbortSignal) => Promise<boolean> {
  let known: boolean | undefined;
  return async (signal) => {
    if (known !== undefined) return known;
    const call = { what: 'read version', method: 'GET' as const, path: '/version' };
    const { minor } = await api.call(call, versionSchema, signal);
    // Some clouds write `29+`.
    known = Number.parseInt(minor, 10) >= firstMinorWithSidecars;
    return known;
  };
}
