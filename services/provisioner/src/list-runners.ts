import type { Runner } from '@baton/shared/contracts';
import type { RunnerStore } from '@baton/shared/stores';

/** The records of a scale set, or of all, as the passes and watches of a provisioner read them. */
export async function listRunners(
  { runners }: { runners: RunnerStore },
  scaleSetId?: string,
): Promise<Runner[]> {
  return (await runners.list(scaleSetId)).map(({ value }) => value);
}
