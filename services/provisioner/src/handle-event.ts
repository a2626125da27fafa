import { type AnyListenerEvent, type ListenerEvent, runnerIdOf } from '@baton/shared/contracts';
import { done, type Outcome } from '@baton/shared/messaging';
import {
  type Observation,
  type ObservationCounter,
  observeRunner,
  type RunnerChange,
} from '@baton/shared/runners';
import type { RunnerCopy, RunnerStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { Planner } from './planner.ts';

export interface EventDeps {
  runners: RunnerStore;
  copy: RunnerCopy;
  planner: Planner;
  clock: Clock;
  log: Logger;
  installationId: string;
  observations?: ObservationCounter;
  onChange?: (change: RunnerChange) => void;
}

/**
 * Takes in what a listener published. Safe to run twice and in any order: job facts are observations
 * of a runner's record, which keeps each once, and a demand is only the call to look at the record
 * that holds it.
 */
export async function handleEvent(deps: EventDeps, event: AnyListenerEvent): Promise<Outcome> {
  const { planner, log, installationId } = deps;
  if (event.type === 'other') return done();
  const { scaleSetId } = event;
  if (event.type === 'demand.changed') {
    await planner.reconcile(scaleSetId);
    return done();
  }
  if (event.type === 'job.assigned') return done();
  const { runnerName } = event;
  const runnerId = runnerName ? runnerIdOf(runnerName, installationId) : undefined;
  if (runnerId === undefined) {
    log.info({ scaleSetId, type: event.type, runnerName }, 'job of no runner of ours');
    return done();
  }
  const observed = await observeRunner(deps, { scaleSetId, runnerId }, observationOf(event));
  log.info(
    { scaleSetId, runnerId, type: event.type, jobId: event.jobId, moved: observed?.moved },
    'job observed',
  );
  if (event.type === 'job.completed') await planner.reconcile(scaleSetId);
  return done();
}

function observationOf(
  event: ListenerEvent & { type: 'job.started' | 'job.completed' },
): Observation {
  const { jobId, at, position } = event;
  if (event.type === 'job.completed') {
    const { result, jobDisplayName: name, repository, workflowRunId } = event;
    const { startedAt, finishedAt } = event;
    const facts = { at, startedAt, finishedAt, result, name, repository, workflowRunId };
    return { kind: 'job-completed', position, facts };
  }
  const { githubRunnerId, startedAt } = event;
  return { kind: 'job-started', jobId, at, githubRunnerId, facts: { startedAt } };
}
