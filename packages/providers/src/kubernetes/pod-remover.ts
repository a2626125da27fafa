import type { Clock } from '@baton/shared/time';
import { z } from 'zod';
import { KubernetesApiError } from './api-error.ts';
import { type Pod, podListSchema, podSchema } from './api-schemas.ts';
import type { KubernetesApi } from './kubernetes-api.ts';
import type { PodView } from './pod-view.ts';
import { keys, secretLabels, selector } from './tags.ts';

interface PodRemoverOptions {
  api: KubernetesApi;
  view: PodView;
  clock: Clock;
  installationId: string;
  /** `/api/v1/namespaces/<namespace>`. */
  namespacePath: string;
  gracePeriodSeconds: number;
  /** Whether runners may have made pods of their own, through container hooks. */
  hasJobPods: boolean;
}

/** The view is asked this often whether a pod is gone, in ms; mostly it knows without a call. */
const lookEveryMs = 100;
const lookForJobsEveryMs = 500;
/** The runner's container hooks put the name of the runner's pod on what they make. */
const hookLabel = 'runner-pod';

/** Takes away pods of this installation, with everything that belongs to them. */
export class PodRemover {
  readonly #options: PodRemoverOptions;

  constructor(options: PodRemoverOptions) {
    this.#options = options;
  }

  /**
   * Deletes the pod of that name and waits until it is gone, then what belongs to it. The pod is named
   * to the API server with its uid, so that another one that gets the name meanwhile is left alone.
   *
   * May run twice or at the same time elsewhere: each step takes "gone" as done, and the steps behind
   * the pod need nothing but its name, so that they are made up for when a crash came between.
   */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    const pod = await this.read(name, signal);
    if (pod && !this.#isOurs(pod)) return;
    if (pod) await this.#removePod(pod, signal);
    await this.#removeBelongings(name, signal);
  }

  async read(name: string, signal: AbortSignal): Promise<Pod | undefined> {
    const call = { what: 'read pod', method: 'GET' as const, path: this.#path(name) };
    return await absentWhen(404, this.#options.api.call(call, podSchema, signal));
  }

  /** Takes back a pod that nothing belongs to yet; does not wait. */
  async takeBack({ metadata }: Pod, signal: AbortSignal): Promise<void> {
    await this.#delete(metadata, 0, signal);
  }

  async #removePod(pod: Pod, signal: AbortSignal): Promise<void> {
    const { metadata } = pod;
    const { uid, deletionTimestamp } = metadata;
    // What another process has just made, the view may not know yet, and not knowing is not gone.
    this.#options.view.created(pod);
    if (!deletionTimestamp) await this.#delete(metadata, this.#options.gracePeriodSeconds, signal);
    while (await this.#isThere(uid, signal)) await this.#options.clock.sleep(lookEveryMs, signal);
  }

  async #isThere(uid: string, signal: AbortSignal): Promise<boolean> {
    const pods = await this.#options.view.pods(signal);
    return pods.some(({ metadata }) => metadata.uid === uid);
  }

  /** 409: the name is another pod's by now, and the one that was meant is gone. */
  async #delete(
    { name, uid }: Pod['metadata'],
    gracePeriodSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { api } = this.#options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds,
      preconditions: { uid },
    };
    const call = { what: 'delete pod', method: 'DELETE' as const, path: this.#path(name), body };
    await absentWhen(409, absentWhen(404, api.call(call, z.unknown(), signal)));
  }

  /** The Secret would go with the pod, some time; what hooks made would stay for ever. */
  async #removeBelongings(name: string, signal: AbortSignal): Promise<void> {
    const { installationId, hasJobPods } = this.#options;
    await this.#deleteAll('secrets', secretLabels(installationId, name), signal);
    if (!hasJobPods) return;
    const labels = { [hookLabel]: name };
    await this.#deleteAll('pods', labels, signal);
    await this.#deleteAll('secrets', labels, signal);
    while (await this.#hasPods(labels, signal))
      await this.#options.clock.sleep(lookForJobsEveryMs, signal);
  }

  async #hasPods(labels: Record<string, string>, signal: AbortSignal): Promise<boolean> {
    const { api, namespacePath } = this.#options;
    const call = { what: 'list pods', method: 'GET' as const, path: `${namespacePath}/pods` };
    const query = { labelSelector: selector(labels), limit: '1' };
    const { items } = await api.call({ ...call, query }, podListSchema, signal);
    return items.length > 0;
  }

  async #deleteAll(
    kind: string,
    labels: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { api, namespacePath } = this.#options;
    const path = `${namespacePath}/${kind}`;
    const { gracePeriodSeconds } = this.#options;
    const query = {
      labelSelector: selector(labels),
      gracePeriodSeconds: String(gracePeriodSeconds),
    };
    const what = `delete ${kind}`;
    await api.call({ what, method: 'DELETE', path, query }, z.unknown(), signal);
  }

  #isOurs({ metadata }: Pod): boolean {
    return metadata.labels?.[keys.installation] === this.#options.installationId;
  }

  #path(name: string): string {
    return `${this.#options.namespacePath}/pods/${name}`;
  }
}

async function absentWhen<T>(status: number, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === status) return undefined;
    throw error;
  }
}
