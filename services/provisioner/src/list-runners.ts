import type { Runner } from '@baton/shared/contracts';
import type { RunnerCopy } from '@baton/shared/stores';

/**
 * The records of a scale set, or of all, as the passes and watches of a provisioner read them: as they are
 * now, at a cost that depends on what changed. Shared by all who read: not to be changed.
 */
export async function listRunners(
  { copy }: { copy: RunnerCopy },
  scaleSetId?: string,
): Promise<Runner[]> {
  await copy.sync();
  const records = scaleSetId === undefined ? copy.all() : copy.under(scaleSetId);
  return records.map(({ value }) => value);
}
