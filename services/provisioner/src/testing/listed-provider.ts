import { type Instance, ProviderError } from '@baton/providers';
import type { Runner } from '@baton/shared/contracts';
import { at } from '@baton/testkit';
import { EmptyProvider } from './empty-provider.ts';

/** Shows these instances. `problem` has it fail, `hangs` has it never answer. */
export class ListedProvider extends EmptyProvider {
  asked = 0;
  hangs = false;
  instances: readonly Instance[];
  /** What each list waits for. */
  takes: () => Promise<void> = () => Promise.resolve();

  constructor(instances: readonly Instance[]) {
    super();
    this.instances = instances;
  }

  override async list(): Promise<Instance[]> {
    this.asked += 1;
    await this.takes();
    if (this.hangs) await new Promise(() => undefined);
    if (this.problem !== undefined) throw new ProviderError('transient', this.problem);
    return [...this.instances];
  }
}

/** The instance of a runner. */
export function anInstance(
  { scaleSetId, runnerId, name: runnerName, generation }: Runner,
  part: Partial<Instance> = {},
): Instance {
  const who = { instanceId: runnerId, runnerId, runnerName, scaleSetId, generation };
  return { ...who, createdAt: at, state: 'running', ...part };
}

export function anExit(runner: Runner, exitCode?: number): Instance {
  return anInstance(runner, { state: 'exited', ...(exitCode === undefined ? {} : { exitCode }) });
}
