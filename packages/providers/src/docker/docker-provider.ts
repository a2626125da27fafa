import type { ComputeProvider, CreateRequest, Instance } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import type { ContainerStarter } from './container-starter.ts';
import type { Containers } from './containers.ts';
import type { DockerDefinition } from './definition.ts';
import { toProviderError } from './engine-failure.ts';
import type { ContainerSummary } from './engine-schemas.ts';
import type { ImagePuller } from './image-puller.ts';
import { readTags } from './labels.ts';
import { observeInstance, type SeenContainer } from './observe-instance.ts';
import { type ContainerSettings, resolveSettings } from './settings.ts';

interface DockerProviderOptions {
  definition: DockerDefinition;
  installationId: string;
  hostId: string | undefined;
  containers: Containers;
  images: ImagePuller;
  starter: ContainerStarter;
}

/** What a create may take besides pulling and starting, in ms. */
const createMarginMs = 30_000;
/** By how much the engine's clock, told in whole seconds, may seem to be ahead, in ms. */
const clockMarginMs = 2_000;
/** A create that lost a race may add a container while a delete goes on; more often it cannot. */
const deleteRounds = 5;
const containerName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,240}$/;

/**
 * Runners as containers. All containers with the label of one runner id are an instance: the
 * runner's, and its daemon's where it has one. The engine holds the only state, so any number of
 * processes see and may delete what another one created.
 */
export class DockerProvider implements ComputeProvider {
  readonly hostId?: string;
  readonly createTimeoutMs: number;
  readonly #definition: DockerDefinition;
  readonly #installationId: string;
  readonly #containers: Containers;
  readonly #images: ImagePuller;
  readonly #starter: ContainerStarter;
  /** Runner ids of creates under way here; with those in place, what counts against `maxInstances`. */
  readonly #creating = new Set<string>();

  constructor(options: DockerProviderOptions) {
    if (options.hostId !== undefined) this.hostId = options.hostId;
    const { pullTimeoutMs } = options.definition;
    this.createTimeoutMs = pullTimeoutMs + startWindowMs(options.definition) + createMarginMs;
    this.#definition = options.definition;
    this.#installationId = options.installationId;
    this.#containers = options.containers;
    this.#images = options.images;
    this.#starter = options.starter;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    this.#validate(request);
    const settings = resolveSettings(this.#definition, request.settings);
    const { runnerId } = request;
    try {
      if (!(await this.#reserve(runnerId, signal))) return { instanceId: runnerId };
      try {
        await this.#ensureImages(request, settings, signal);
        await this.#starter.start({ request, settings }, signal);
      } finally {
        this.#creating.delete(runnerId);
      }
      return { instanceId: runnerId };
    } catch (error) {
      throw toProviderError('create runner container', error);
    }
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    signal.throwIfAborted();
    try {
      const { containers, nowMs } = await this.#containers.find(signal);
      const seen = await Promise.all(containers.map((summary) => this.#look(summary, signal)));
      const byRunner = new Map<string, [SeenContainer, ...SeenContainer[]]>();
      for (const container of seen) {
        if (!container) continue;
        const others = byRunner.get(container.tags.runnerId);
        if (others) others.push(container);
        else byRunner.set(container.tags.runnerId, [container]);
      }
      const startTimeoutMs = startWindowMs(this.#definition) + clockMarginMs;
      return [...byRunner.values()].map((one) => observeInstance(one, { nowMs, startTimeoutMs }));
    } catch (error) {
      throw toProviderError('list runner containers', error);
    }
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (instanceId === '') return;
    try {
      for (let round = 0; round < deleteRounds; round += 1) {
        const { containers } = await this.#containers.find(signal, instanceId);
        if (containers.length === 0) return;
        for (const container of sortForDeletion(containers)) await this.#end(container, signal);
      }
    } catch (error) {
      throw toProviderError('delete runner container', error);
    }
    throw new ProviderError('transient', 'its containers keep coming back: is it being created?');
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    signal.throwIfAborted();
    try {
      const taken = await this.#taken(signal);
      return { free: Math.max(0, this.#definition.maxInstances - taken.size) };
    } catch (error) {
      throw toProviderError('count runner containers', error);
    }
  }

  #validate({ runnerId, runnerName, installationId }: CreateRequest): void {
    if (installationId !== this.#installationId)
      throw new ProviderError('bug', 'the request is for another installation', {
        details: { runnerId, installationId },
      });
    if (runnerId === '' || !containerName.test(runnerName))
      throw new ProviderError('bug', 'the runner name cannot be the name of a container', {
        details: { runnerId, runnerName },
      });
  }

  /** Takes a place for the runner; false when it has an instance already. */
  async #reserve(runnerId: string, signal: AbortSignal): Promise<boolean> {
    if ((await this.#containers.find(signal, runnerId)).containers.length > 0) return false;
    const taken = await this.#taken(signal);
    taken.delete(runnerId);
    if (taken.size >= this.#definition.maxInstances)
      throw new ProviderError(
        'quota',
        `maxInstances (${this.#definition.maxInstances}) is reached`,
      );
    this.#creating.add(runnerId);
    return true;
  }

  /** The runner ids that hold a place, dead or alive, those of creates that ended meanwhile too. */
  async #taken(signal: AbortSignal): Promise<Set<string>> {
    const before = [...this.#creating];
    const { containers } = await this.#containers.find(signal);
    const inPlace = containers.map(({ Labels }) => readTags(Labels)?.runnerId ?? '');
    return new Set([...before, ...inPlace, ...this.#creating]);
  }

  async #ensureImages(
    request: CreateRequest,
    { image, dind }: ContainerSettings,
    signal: AbortSignal,
  ): Promise<void> {
    const images = [image, ...(dind && this.#definition.dind ? [this.#definition.dind.image] : [])];
    const tell = (text: string) => request.progress?.(text);
    await Promise.all(images.map((name) => this.#images.ensure(name, tell, signal)));
  }

  /** Undefined for a container that is gone by now, or whose labels are not whole. */
  async #look(summary: ContainerSummary, signal: AbortSignal): Promise<SeenContainer | undefined> {
    const tags = readTags(summary.Labels);
    if (!tags) return undefined;
    if (summary.State === 'running') return { tags, summary, inspection: undefined };
    const inspection = await this.#containers.inspect(summary.Id, signal);
    return inspection && { tags, summary, inspection };
  }

  async #end({ Id, State }: ContainerSummary, signal: AbortSignal): Promise<void> {
    const { stopTimeoutMs } = this.#definition;
    if (State === 'running') await this.#containers.stop(Id, stopTimeoutMs, signal);
    await this.#containers.remove(Id, signal);
  }
}

/** How long after its creation a container may be started, in ms. */
function startWindowMs({ startTimeoutMs, dind }: DockerDefinition): number {
  return startTimeoutMs + (dind?.readyTimeoutMs ?? 0);
}

/** The runner first: it may need its daemon to end well. The volumes go with the last of them. */
function sortForDeletion(containers: readonly ContainerSummary[]): ContainerSummary[] {
  const isDaemon = ({ Labels }: ContainerSummary) => readTags(Labels)?.role === 'docker';
  return containers.toSorted((a, b) => Number(isDaemon(a)) - Number(isDaemon(b)));
}
