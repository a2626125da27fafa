import { eventSubject, type Runner } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { inTrace } from '@baton/shared/telemetry';
import { isoNow } from '@baton/shared/time';
import type { CreateFailure } from './core/create-failure.ts';
import type { CreateDeps } from './create-deps.ts';
import { keepLateInstance } from './keep-late-instance.ts';
import { tellStep } from './tell-step.ts';

interface Made {
  instanceId: string;
  githubRunnerId: number | undefined;
}

/**
 * The instance exists: writes that down and tells of it. When the runner was given up and deleted in the
 * meantime (its creator was cut off from NATS and taken for dead), the instance is kept for the janitor.
 * Safe to repeat; returns whether this call wrote it down.
 */
export async function finishCreate(
  deps: CreateDeps,
  record: Runner,
  made: Made,
  signal: AbortSignal,
): Promise<{ written: boolean }> {
  const { publisher, clock, instance } = deps;
  const { scaleSetId, runnerId, name, traceparent } = record;
  const observed = await observeRunner(deps, record, { kind: 'created', ...made });
  if (!observed || observed.runner.deletion?.instanceDeleted) {
    await keepLateInstance(deps, record, made.instanceId);
    return { written: false };
  }
  await publisher.publish(
    eventSubject('provisioner', scaleSetId, 'runner', 'created'),
    {
      v: 1,
      type: 'runner.created',
      scaleSetId,
      runnerId,
      runnerName: name,
      at: isoNow(clock),
      by: `provisioner ${instance}`,
    },
    { messageId: `created-${runnerId}`, traceparent, signal },
  );
  return { written: observed.written };
}

/**
 * Gives the runner up and has the plan replace it. Its registration, if GitHub has one, and its
 * instance, if there is one after all, stay owed in the record: the plan marks it for the janitor.
 */
export async function failCreate(
  deps: CreateDeps,
  record: Runner,
  failure: CreateFailure,
): Promise<void> {
  const { log, planner, runnerMetrics } = deps;
  const { scaleSetId, runnerId } = record;
  const { class: kind, text } = failure;
  log.warn({ scaleSetId, runnerId, class: kind, text }, 'runner could not be created');
  const observed = await observeRunner(deps, record, { kind: 'failed', failure });
  tellStep(deps, observed);
  // All other failures are counted when the plan gives their places up.
  if (observed?.moved && failure.class === 'interrupted') {
    runnerMetrics.createFailed(record, failure.class);
  }
  await inTrace(record.traceparent, () => planner.reconcile(record.scaleSetId));
}
