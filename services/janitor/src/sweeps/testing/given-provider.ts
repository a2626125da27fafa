import { type ComputeProvider, type Instance, ProviderError } from '@baton/providers';
import type { Runner } from '@baton/shared/contracts';
import { at } from '@baton/testkit';

/** A provider that lists what a test gives it. `problem` has it fail; `takes` is what a list waits for. */
export class GivenProvider implements ComputeProvider {
  readonly listTimeoutMs = 60_000;
  readonly hostId?: string;
  instances: readonly Instance[] = [];
  problem: string | undefined;
  /** How often it was asked. */
  asked = 0;
  takes: (signal: AbortSignal) => Promise<unknown> = () => Promise.resolve();

  constructor(hostId?: string) {
    if (hostId !== undefined) this.hostId = hostId;
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    this.asked += 1;
    const listed = [...this.instances];
    await this.takes(signal);
    if (this.problem !== undefined) throw new ProviderError('transient', this.problem);
    return listed;
  }

  create(): Promise<never> {
    return Promise.reject(new ProviderError('quota', 'nothing can be made here'));
  }

  async delete(instanceId: string): Promise<void> {
    this.instances = this.instances.filter((one) => one.instanceId !== instanceId);
    await Promise.resolve();
  }

  async capacity(): Promise<{ free: number }> {
    return await Promise.resolve({ free: 0 });
  }
}

/** The instance of a runner. */
export function instanceOf({ scaleSetId, runnerId, name, generation }: Runner): Instance {
  const who = { instanceId: `i-${runnerId}`, runnerId, runnerName: name, scaleSetId, generation };
  return { ...who, createdAt: at, state: 'running' };
}
