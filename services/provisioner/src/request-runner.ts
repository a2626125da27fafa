import {
  type Cause,
  commandSubject,
  eventSubject,
  type Plan,
  type Runner,
  runnerKey,
  runnerName,
  runnerNamePrefix,
  type Spec,
} from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import type { RunnerStore } from '@baton/shared/stores';
import { type Logger, mintSpan } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import { traceOf } from './core/demand-cause.ts';
import type { PlanMetrics } from './plan-metrics.ts';

interface RequestDeps {
  runners: RunnerStore;
  publisher: Publisher;
  planMetrics: PlanMetrics;
  clock: Clock;
  log: Logger;
  installationId: string;
  instance: string;
  signal: AbortSignal;
}

/** A runner that the plan names. */
interface Named {
  runnerId: string;
  /** What it was named for. */
  cause: Cause | undefined;
  plan: Plan;
}

/**
 * Writes the record of a named runner and asks for its creation. The record is written only if
 * there never was one: a runner that came and went is not made again. So is the context of its trace,
 * minted by whoever is first.
 */
export async function requestRunner(
  deps: RequestDeps,
  spec: Spec,
  { runnerId, cause, plan }: Named,
): Promise<void> {
  const { runners, publisher, clock, log, installationId, instance, signal } = deps;
  const { scaleSetId, declaration, generation } = spec;
  const at = isoNow(clock);
  const name = runnerName(runnerNamePrefix(declaration), installationId, runnerId);
  const record: Runner = {
    v: 1,
    installationId,
    scaleSetId,
    runnerId,
    name,
    provider: declaration.provider,
    generation,
    state: 'requested',
    createdAt: at,
    stateAt: at,
    ...traceOf(cause, mintSpan),
  };
  const revision = await runners.createFirst(runnerKey(scaleSetId, runnerId), record);
  if (revision === undefined) return;
  deps.planMetrics.requested(cause, at);
  log.info(
    { scaleSetId, runnerId, runnerName: name, assigned: plan.demand?.assigned },
    'runner requested',
  );
  const { traceparent } = record;
  await Promise.all([
    askForCreation(deps, record),
    publisher.publish(
      eventSubject('provisioner', scaleSetId, 'runner', 'requested'),
      {
        v: 1,
        type: 'runner.requested',
        scaleSetId,
        runnerId,
        runnerName: name,
        at,
        by: `provisioner ${instance}`,
      },
      { messageId: `requested-${runnerId}`, traceparent, signal },
    ),
  ]);
}

/**
 * Publishes the create command; within five seconds only one is stored however many ask, unless the
 * runner's record has come further.
 */
export async function askForCreation(
  { publisher, clock, signal }: Pick<RequestDeps, 'publisher' | 'clock' | 'signal'>,
  runner: Runner,
): Promise<void> {
  const { scaleSetId, runnerId, provider, traceparent, state, stateAt, retryAt } = runner;
  const occasion = `${state}-${Date.parse(retryAt ?? stateAt)}-${Math.floor(clock.now() / 5_000)}`;
  await publisher.publish(
    commandSubject('create', scaleSetId),
    { v: 1, scaleSetId, runnerId, provider, traceparent },
    { messageId: `create-${runnerId}-${occasion}`, traceparent, signal },
  );
}
