import { type CreateRequest, type Instance, ProviderError } from '@baton/providers';
import { EmptyProvider } from './empty-provider.ts';

type Behaviour = (request: CreateRequest, signal: AbortSignal) => Promise<void>;

/** A provider in memory whose creates go as a test says, by scale set. */
export class PlayingProvider extends EmptyProvider {
  /** The requests of all creates, in the order in which they began. */
  readonly asked: CreateRequest[] = [];
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #instances = new Map<string, Instance>();

  /** From now on creates for the scale set go like this; what it resolves to is an instance. */
  play(scaleSetId: string, behaviour: Behaviour): void {
    this.#behaviours.set(scaleSetId, behaviour);
  }

  override async create(
    request: CreateRequest,
    signal: AbortSignal,
  ): Promise<{ instanceId: string }> {
    this.asked.push(request);
    await this.#behaviours.get(request.scaleSetId)?.(request, signal);
    const { runnerId, runnerName, scaleSetId, generation } = request;
    const instanceId = `i-${runnerId}`;
    const who = { instanceId, runnerId, runnerName, scaleSetId, generation };
    this.#instances.set(instanceId, {
      ...who,
      createdAt: new Date(0).toISOString(),
      state: 'running',
    });
    return { instanceId };
  }

  override list(): Promise<Instance[]> {
    return Promise.resolve([...this.#instances.values()]);
  }

  override delete(instanceId: string): Promise<void> {
    this.#instances.delete(instanceId);
    return Promise.resolve();
  }
}

/** Never answers, and ends when it is told to. */
export const hangs: Behaviour = (_request, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new ProviderError('transient', 'called off')));
  });

export const failsAtOnce: Behaviour = () =>
  Promise.reject(new ProviderError('transient', 'the host is gone'));
