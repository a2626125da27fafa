import type { ComputeProvider, Instance } from '@baton/providers';
import type { Deletion, Runner } from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import { isoNow, withDeadline } from '@baton/shared/time';
import { absentMs } from './core/next-step.ts';
import type { DeleteDeps } from './delete-deps.ts';

/**
 * Deletes the runner's instance and returns what is known then, for its deletion; undefined when that is no
 * more than before. Safe to repeat: what
 * does not exist is gone. An instance whose id nobody wrote down, because its creator ended or is still at
 * it, is looked for; where it is not listed it is looked for once more after a pause. One that is made
 * later still is written down by its creator, or found without a record.
 */
export async function deleteInstance(
  deps: DeleteDeps,
  runner: Runner,
  signal: AbortSignal,
): Promise<Partial<Deletion> | undefined> {
  const { clock, limits } = deps;
  const gone = () => ({ instanceDeleted: true, instanceDeletedAt: isoNow(clock) });
  if (runner.mark?.hostGone) return gone();
  const provider = providerOf(deps, runner);
  const timeoutMs = limits.deleteTimeoutMs;
  const what = 'delete instance';
  return await withDeadline({ clock, timeoutMs, what, signal }, async (within) => {
    if (runner.instanceId !== undefined) {
      await provider.delete(runner.instanceId, within);
      return gone();
    }
    const { instances, askedMs } = await deps.instances.get(provider);
    const listed = instances.get(runner.runnerId);
    if (listed) {
      await provider.delete(listed.instanceId, within);
      return gone();
    }
    const { absentAt } = runner.deletion ?? {};
    const absentForMs = absentAt === undefined ? -1 : askedMs - Date.parse(absentAt);
    // By a clock that is ahead of ours it may have been noted in the future.
    if (absentForMs < 0) return { absentAt: new Date(askedMs).toISOString() };
    return absentForMs >= absentMs ? gone() : undefined;
  });
}

/** The runner's instance, if its provider lists it now. */
export async function findListed(deps: DeleteDeps, runner: Runner): Promise<Instance | undefined> {
  const { instances } = await deps.instances.get(providerOf(deps, runner));
  return instances.get(runner.runnerId);
}

function providerOf({ providers }: DeleteDeps, { provider: name }: Runner): ComputeProvider {
  const provider = providers.get(name);
  if (provider) return provider;
  throw new ConfigError(`provider "${name}" is not in the janitor's BATON_PROVIDERS_FILE`);
}
