import type { Clock } from '@baton/shared/time';
import { z } from 'zod';
import { finishing } from '../finishing.ts';
import type { ComputeProvider, CreateRequest, Instance } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { KubernetesApiError } from './api-error.ts';
import { type Pod, podSchema, quotaListSchema } from './api-schemas.ts';
import { buildPod, buildSecret, type PodManifest } from './build-pod.ts';
import type { KubernetesDefinition } from './definition.ts';
import { freeByQuota } from './free-by-quota.ts';
import type { Call, KubernetesApi } from './kubernetes-api.ts';
import { isPodName } from './pod-name.ts';
import type { PodRemover } from './pod-remover.ts';
import type { PodView } from './pod-view.ts';
import { readInstance } from './read-instance.ts';
import { readSettings } from './read-settings.ts';
import { keys } from './tags.ts';

interface KubernetesProviderOptions {
  definition: KubernetesDefinition;
  installationId: string;
  clock: Clock;
  api: KubernetesApi;
  view: PodView;
  remover: PodRemover;
  /** `/api/v1/namespaces/<namespace>`. */
  namespacePath: string;
  /** Whether the cluster knows init containers that keep running. */
  hasSidecars: (signal: AbortSignal) => Promise<boolean>;
}

/** A create that was called off may go on for this long, in ms. */
const longestLateMs = 1_000;

/**
 * Runners as pods. The API server is the only state: provisioners and janitors anywhere see and may
 * delete what another one created.
 *
 * An instance is the pod whose name follows from the runner's name. The pod is created first, naming a
 * Secret that does not exist yet; the Secret with the JIT config follows, owned by the pod. So there is
 * never a Secret without a pod to find it by, and a runner starts only when both are there: a creator
 * that dies in between leaves an instance that everybody sees, that a repeated create completes, and
 * that a delete takes away. (The kubelet waits for a missing Secret; it is asked for again within ten
 * seconds, should it be late.)
 *
 * `list` shows what `PodView` has proven. An instance made by this process is shown from the moment
 * that `create` resolved, one made by another as soon as the watch tells it, at latest `listMaxAgeMs`
 * afterwards.
 */
export class KubernetesProvider implements ComputeProvider {
  readonly #options: KubernetesProviderOptions;
  /** Creates under way here; with the pods, what counts against `maxInstances`. */
  #creatingCount = 0;

  constructor(options: KubernetesProviderOptions) {
    this.#options = options;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    const manifest = await this.#manifest(request, signal);
    const pods = await this.#options.view.pods(signal);
    const known = pods.find((pod) => isOf(pod, request));
    const { pod, isNew } = known
      ? { pod: known, isNew: false }
      : await this.#createPod(manifest, pods.length, signal);
    if (!isOf(pod, request))
      throw new ProviderError('transient', `create pod: ${pod.metadata.name} is another's pod`);
    if (isUnborn(pod)) await this.#createSecret(pod, { request, isNew }, signal);
    this.#options.view.created(pod);
    return { instanceId: pod.metadata.name };
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    const nowMs = this.#options.clock.now();
    const pods = await this.#options.view.pods(signal);
    return pods.map((pod) => readInstance(pod, nowMs)).filter((found) => found !== undefined);
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (isPodName(instanceId)) await this.#options.remover.remove(instanceId, signal);
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    const { definition } = this.#options;
    const pods = await this.#options.view.pods(signal);
    const byCount = definition.maxInstances - pods.length - this.#creatingCount;
    const byQuota = definition.resourceQuota ? await this.#freeByQuota(signal) : byCount;
    return { free: Math.max(0, Math.min(byCount, byQuota)) };
  }

  async #manifest(request: CreateRequest, signal: AbortSignal): Promise<PodManifest> {
    const { definition, installationId } = this.#options;
    if (request.installationId !== installationId)
      throw new ProviderError('bug', 'the request is for another installation', {
        details: { runnerId: request.runnerId, installationId: request.installationId },
      });
    const settings = readSettings(request.settings, definition);
    const needsDocker = settings.containerMode.type === 'dind';
    const hasSidecars = needsDocker && (await this.#options.hasSidecars(signal));
    return buildPod({ definition, settings, request, hasSidecars });
  }

  /** Of two creates one gets 409, and is given the pod of the other. */
  async #createPod(
    manifest: PodManifest,
    podCount: number,
    signal: AbortSignal,
  ): Promise<{ pod: Pod; isNew: boolean }> {
    if (podCount + this.#creatingCount >= this.#options.definition.maxInstances)
      throw new ProviderError('quota', 'maxInstances of the provider is reached');
    this.#creatingCount += 1;
    try {
      const pod = await this.#post('pods', manifest, podSchema, signal);
      this.#options.view.created(pod);
      signal.throwIfAborted();
      return { pod, isNew: true };
    } catch (error) {
      if (!isAlreadyThere(error)) throw error;
      const pod = await this.#options.remover.read(manifest.metadata.name, signal);
      if (pod) return { pod, isNew: false };
      throw new ProviderError('transient', 'create pod: the one of this name has just gone');
    } finally {
      this.#creatingCount -= 1;
    }
  }

  /**
   * Without its Secret a pod is of no use: the one that this call made is taken back, unless the caller
   * has given up. If that fails too, the pod is there for all to see and to delete. A pod that was there
   * before is left alone: it may run by now.
   */
  async #createSecret(
    pod: Pod,
    { request, isNew }: { request: CreateRequest; isNew: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#post('secrets', buildSecret(pod.metadata, request), z.unknown(), signal);
    } catch (error) {
      if (isAlreadyThere(error)) return;
      signal.throwIfAborted();
      if (isNew) await this.#options.remover.takeBack(pod, signal).catch(() => undefined);
      throw error;
    }
  }

  async #post<S extends z.ZodType>(
    kind: 'pods' | 'secrets',
    body: unknown,
    schema: S,
    signal: AbortSignal,
  ): Promise<z.output<S>> {
    const { api, clock, namespacePath } = this.#options;
    const what = kind === 'pods' ? 'create pod' : 'create secret';
    const path = `${namespacePath}/${kind}`;
    // A server from 1.25 on then refuses fields that it would otherwise drop without a word.
    const query = { fieldValidation: 'Strict' };
    const call: Call = { what, method: 'POST', path, query, body };
    // Cut off, it might take effect later than a list that its caller looks at next.
    return await finishing({ clock, signal, lateMs: longestLateMs }, (within) =>
      api.call(call, schema, within),
    );
  }

  async #freeByQuota(signal: AbortSignal): Promise<number> {
    const { api, namespacePath } = this.#options;
    const path = `${namespacePath}/resourcequotas`;
    const call = { what: 'list resource quotas', method: 'GET' as const, path };
    return freeByQuota(await api.call(call, quotaListSchema, signal));
  }
}

function isOf({ metadata }: Pod, { runnerId, installationId }: CreateRequest): boolean {
  return (
    metadata.labels?.[keys.installation] === installationId &&
    metadata.annotations?.[keys.runner] === runnerId
  );
}

/** Whether its Secret may still be missing: no container has been started. */
function isUnborn({ metadata, status }: Pod): boolean {
  return !metadata.deletionTimestamp && (status?.phase ?? 'Pending') === 'Pending';
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.reason === 'AlreadyExists';
}
