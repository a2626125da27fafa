import {
  commandSubject,
  eventSubject,
  type Mark,
  type Runner,
  type RunnerCommand,
  type RunnerEvent,
} from '../contracts/index.ts';
import type { Publisher } from '../messaging/index.ts';
import type { RunnerCopy, RunnerStore } from '../stores/index.ts';
import { type Clock, isoNow } from '../time/index.ts';
import { type ObservationCounter, observeRunner, type RunnerChange } from './observe-runner.ts';

export interface MarkDeps {
  runners: RunnerStore;
  copy: RunnerCopy;
  publisher: Publisher;
  clock: Clock;
  /** Who marks: the service, and which process of it. */
  service: 'provisioner' | 'janitor';
  instance: string;
  signal: AbortSignal;
  observations?: ObservationCounter | undefined;
  onChange?: ((change: RunnerChange) => void) | undefined;
  /** The mark is left out where the record is not any more what the decision was about. */
  onlyIf?: ((found: Runner) => boolean) | undefined;
}

/**
 * Marks a runner deleted, asks the janitor to delete it, and says so in an event. Returns whether it
 * was marked by this call. Safe to repeat; when this process ends between the steps, the janitor's pass
 * finds the marked record.
 */
export async function markRunner(
  deps: MarkDeps,
  { scaleSetId, runnerId, name, traceparent }: Runner,
  decided: Pick<Mark, 'reason' | 'gate' | 'text' | 'evidence'>,
): Promise<boolean> {
  const { publisher, clock, service, instance, signal } = deps;
  const { reason, gate, text, evidence } = decided;
  const by = `${service} ${instance}`;
  const told = { ...(text ? { text } : {}), ...(evidence ? { evidence } : {}) };
  const mark: Mark = { reason, gate, by, at: isoNow(clock), ...told };
  const observed = await observeRunner(deps, { scaleSetId, runnerId }, { kind: 'marked', mark });
  if (!observed?.moved) return false;
  const options = { traceparent, signal };
  const command: RunnerCommand = { v: 1, scaleSetId, runnerId, traceparent };
  const event: RunnerEvent = {
    v: 1,
    type: 'runner.marked',
    scaleSetId,
    runnerId,
    runnerName: name,
    at: mark.at,
    by,
    reason,
    ...told,
  };
  await Promise.all([
    publisher.publish(commandSubject('delete', scaleSetId), command, {
      ...options,
      messageId: `delete-${runnerId}-${observed.revision}`,
    }),
    publisher.publish(eventSubject(service, scaleSetId, 'runner', 'marked'), event, {
      ...options,
      messageId: `marked-${runnerId}-${observed.revision}`,
    }),
  ]);
  return true;
}
