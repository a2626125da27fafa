import type { ComputeProvider } from '@baton/providers';
import { commandSubject, type Runner } from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import { isBoundHere, isElsewhere } from '@baton/shared/runners';
import type { RunnerCopy } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import type { DirectDeletions } from './direct-deletions.ts';

interface PassDeps {
  copy: RunnerCopy;
  providers: ReadonlyMap<string, ComputeProvider>;
  deletions: DirectDeletions;
  publisher: Publisher;
  clock: Clock;
  signal: AbortSignal;
}

/** A mark this young has a command of its own on the way, in ms. */
const commandMs = 3_000;

/**
 * Finds marked runners whose delete command was lost or whose time for another try has come, and
 * asks for their deletion. Safe to run in any number of janitors: within three seconds only one of
 * the commands is stored, and deleting twice is the same as once. A command reaches any janitor, so
 * what only this host can delete is deleted without one, and what only another can is left alone.
 */
export async function markedPass(deps: PassDeps): Promise<number> {
  const { copy, providers, deletions, publisher, clock, signal } = deps;
  await copy.sync();
  const records = copy.all().map(({ value }) => value);
  const due = records
    .filter((runner) => isDue(runner, clock.now()))
    .filter((runner) => !isElsewhere(runner, providers.get(runner.provider)));
  const isDirect = (runner: Runner) => isBoundHere(runner, providers.get(runner.provider));
  for (const runner of due.filter(isDirect)) deletions.start(runner);
  const window = Math.floor(clock.now() / commandMs);
  await Promise.all(
    due
      .filter((runner) => !isDirect(runner))
      .map(({ scaleSetId, runnerId, traceparent }) =>
        publisher.publish(
          commandSubject('delete', scaleSetId),
          { v: 1, scaleSetId, runnerId, traceparent },
          { messageId: `delete-${runnerId}-pass-${window}`, traceparent, signal },
        ),
      ),
  );
  return due.length;
}

/** Whether nobody else will see to this runner's deletion. Pure. */
export function isDue({ mark, deletion, stateAt }: Runner, nowMs: number): boolean {
  if (!mark) return false;
  if (deletion?.retryAt) return Date.parse(deletion.retryAt) <= nowMs;
  return nowMs - Date.parse(stateAt) > commandMs;
}
