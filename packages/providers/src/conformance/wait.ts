import type { ComputeProvider, Instance } from '../provider.ts';
import { eventually } from '../testing/eventually.ts';

export const { signal: neverAborted } = new AbortController();

/** Waits until the instance is in the state; returns it as it was seen then. */
export async function eventuallyState(
  provider: ComputeProvider,
  instanceId: string,
  state: Instance['state'],
): Promise<Instance> {
  return await eventually(async () => {
    const instances = await provider.list(neverAborted);
    const found = instances.find((instance) => instance.instanceId === instanceId);
    if (found?.state !== state) {
      const why = found?.problem ? `: ${found.problem.text}` : '';
      throw new Error(`is ${found?.state ?? 'absent'}, not ${state}${why}`);
    }
    return found;
  });
}
