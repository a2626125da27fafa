import type { ComputeProvider, Instance } from '@baton/providers';
import { repeat } from '@baton/shared/lifecycle';
import type { Random } from '@baton/shared/retry';
import { observeRunner } from '@baton/shared/runners';
import type { RunnerStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow, withDeadline } from '@baton/shared/time';
import type { Planner } from './planner.ts';

interface WatchDeps {
  runners: RunnerStore;
  planner: Planner;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** A provider is looked at this often, in ms, unless it asks to be looked at less. */
const everyMs = 500;
const timeoutMs = 10_000;

/**
 * Looks for instances of a provider that have ended and writes that into their records, until the
 * signal is aborted. Several provisioners may watch one provider: an end is observed once.
 */
export async function watchInstances(
  deps: WatchDeps,
  provider: ComputeProvider,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps;
  /** Ends that were written; forgotten when the instance is gone. */
  let seen = new Set<string>();
  const pause = provider.listEveryMs ?? everyMs;
  const patience = Math.max(timeoutMs, pause);
  await repeat({ ...deps, what: 'instances', everyMs: pause, signal }, async () => {
    const what = 'list instances';
    const instances = await withDeadline({ clock, timeoutMs: patience, what, signal }, (within) =>
      provider.list(within),
    );
    const ended = instances.filter(({ state }) => state === 'exited');
    const now = new Set<string>();
    for (const instance of ended) {
      const known = seen.has(instance.instanceId) || (await observed(deps, instance));
      if (known) now.add(instance.instanceId);
    }
    seen = now;
  });
}

/** Whether the end was written; one that cannot be is tried again and keeps nobody else waiting. */
async function observed(deps: WatchDeps, instance: Instance): Promise<boolean> {
  try {
    await observeExit(deps, instance);
    return true;
  } catch (err) {
    deps.log.warn({ runnerId: instance.runnerId, err }, 'end of a runner could not be written');
    return false;
  }
}

async function observeExit(deps: WatchDeps, instance: Instance): Promise<void> {
  const { scaleSetId, runnerId, exitCode } = instance;
  const observed = await observeRunner(
    deps,
    { scaleSetId, runnerId },
    { kind: 'exited', code: exitCode, at: isoNow(deps.clock) },
  );
  if (!observed) return;
  deps.log.info({ scaleSetId, runnerId, exitCode }, 'runner exited');
  if (observed.moved || observed.runner.completedIn) await deps.planner.reconcile(scaleSetId);
}
