import { commandSubject, eventSubject, type Mark, type Runner } from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import { type ObservationCounter, observeRunner } from '@baton/shared/runners';
import type { RunnerCopy, RunnerStore } from '@baton/shared/stores';
import { type Clock, isoNow } from '@baton/shared/time';

export interface MarkDeps {
  runners: RunnerStore;
  copy: RunnerCopy;
  publisher: Publisher;
  clock: Clock;
  instance: string;
  signal: AbortSignal;
  observations?: ObservationCounter;
}

/**
 * Marks a runner deleted and asks the janitor to delete it. Safe to repeat; when this process ends
 * between the two, the janitor's pass finds the marked record.
 */
export async function markRunner(
  deps: MarkDeps,
  { scaleSetId, runnerId, name, traceparent }: Runner,
  { reason, gate, text }: Pick<Mark, 'reason' | 'gate' | 'text'>,
): Promise<void> {
  const { publisher, clock, instance, signal } = deps;
  const by = `provisioner ${instance}`;
  const mark: Mark = { reason, gate, by, at: isoNow(clock), ...(text ? { text } : {}) };
  const observed = await observeRunner(deps, { scaleSetId, runnerId }, { kind: 'marked', mark });
  if (!observed?.moved) return;
  const options = { traceparent, signal };
  await Promise.all([
    publisher.publish(
      commandSubject('delete', scaleSetId),
      { v: 1, scaleSetId, runnerId, traceparent },
      {
        ...options,
        messageId: `delete-${runnerId}-${observed.revision}`,
      },
    ),
    publisher.publish(
      eventSubject('provisioner', scaleSetId, 'runner', 'marked'),
      {
        v: 1,
        type: 'runner.marked',
        scaleSetId,
        runnerId,
        runnerName: name,
        at: mark.at,
        by,
        reason,
        text,
      },
      { ...options, messageId: `marked-${runnerId}-${observed.revision}` },
    ),
  ]);
}
