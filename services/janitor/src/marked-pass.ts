import { commandSubject, type Runner } from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import type { RunnerCopy } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';

interface PassDeps {
  copy: RunnerCopy;
  publisher: Publisher;
  clock: Clock;
  signal: AbortSignal;
}

/** A mark this young has a command of its own on the way, in ms. */
const commandMs = 3_000;

/**
 * Finds marked runners whose delete command was lost or whose time for another try has come, and
 * asks for their deletion. Safe to run in any number of janitors: within three seconds only one of
 * the commands is stored, and deleting twice is the same as once.
 */
export async function markedPass({ copy, publisher, clock, signal }: PassDeps): Promise<number> {
  await copy.sync();
  const records = copy.all().map(({ value }) => value);
  const due = records.filter((runner) => isDue(runner, clock.now()));
  const window = Math.floor(clock.now() / commandMs);
  await Promise.all(
    due.map(({ scaleSetId, runnerId, traceparent }) =>
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
