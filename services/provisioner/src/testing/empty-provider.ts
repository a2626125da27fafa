import {
  type ComputeProvider,
  type CreateRequest,
  type Instance,
  ProviderError,
} from '@baton/providers';

/** A provider with room and no instances. Set `problem` to have it fail. */
export class EmptyProvider implements ComputeProvider {
  free: number;
  problem: string | undefined;

  constructor(free = 10_000) {
    this.free = free;
  }

  create(_request: CreateRequest, _signal: AbortSignal): Promise<{ instanceId: string }> {
    return Promise.reject(new ProviderError('transient', 'it makes no instances'));
  }

  list(): Promise<Instance[]> {
    return Promise.resolve([]);
  }

  delete(_instanceId: string, _signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  capacity(): Promise<{ free: number }> {
    if (this.problem !== undefined) {
      return Promise.reject(new ProviderError('transient', this.problem));
    }
    return Promise.resolve({ free: this.free });
  }
}
