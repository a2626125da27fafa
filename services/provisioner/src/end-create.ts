import { eventSubject, type Runner } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
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
 * Safe to repeat.
 */
export async function finishCreate(
  deps: CreateDeps,
  record: Runner,
  made: Made,
  signal: AbortSignal,
): Promise<void> {
  const { publisher, clock, instance } = deps;
  const { scaleSetId, runnerId, name, traceparent } = record;
  const observed = await observeRunner(deps, record, { kind: 'created', ...made });
  if (!observed || observed.runner.deletion?.instanceDeleted) {
    await keepLateInstance(deps, record, made.instanceId);
    return;
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
  const { log, planner } = deps;
  const { scaleSetId, runnerId } = record;
  log.warn({ scaleSetId, runnerId, class: failure.class, text: failure.text }, 'runner could not be created');
  tellStep(deps, await observeRunner(deps, record, { kind: 'failed', failure }));
  await planner.reconcile(record.scaleSetId);
}
