import { runnerKey } from '@baton/shared/contracts';
import type { RunnerStore } from '@baton/shared/stores';
import { bootstrapObstacle } from './core/may-bootstrap.ts';
import type { JitVault } from './jit-vault.ts';

/**
 * Removes what no instance may fetch any more: its runner is registered, has ended, is being deleted or is
 * gone. Any number of provisioners may do so; what one of them leaves undone, the next pass does.
 */
export async function sweepJit({
  vault,
  runners,
}: {
  vault: JitVault;
  runners: RunnerStore;
}): Promise<void> {
  for (const ref of await vault.runners()) {
    const record = await runners.get(runnerKey(ref.scaleSetId, ref.runnerId));
    if (bootstrapObstacle(record?.value) !== undefined) await vault.remove(ref);
  }
  await vault.forgetRemoved();
}
