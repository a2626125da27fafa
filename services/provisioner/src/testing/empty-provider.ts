import { type ComputeProvider, type Instance, ProviderError } from '@baton/providers';

/** A provider with room and no instances. Set `problem` to have it fail. */
export class EmptyProvider implements ComputeProvider {
  free: number;
  problem: string | undefined;

  constructor(free = 10_000) {
    this.free = free;
  }

  create(): Promise<{ instanceId: string }> {
    return Promise.reject(new ProviderError('transient', 'it makes no instances'));
  }

  list(): Promise<Instance[]> {
    return Promise.resolve([]);
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  capacity(): Promise<{ free: number }> {
    if (this.problem !== undefined) {
      return Promise.reject(new ProviderError('transient', this.problem));
    }
    return Promise.resolve({ free: this.free });
  }
}
