import type { GitHubClient } from '@baton/scaleset';
import {
  eventSubject,
  type Runner,
  type RunnerEvent,
  runnerKey,
  runnerName,
  runnerNamePrefix,
} from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import { markRunner } from '@baton/shared/runners';
import type { RunnerCopy, RunnerStore } from '@baton/shared/stores';
import { type Logger, mintSpan } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import { type Finding, type SweepViews, scopeOf } from './sweep.ts';

export interface ActDeps {
  runners: RunnerStore;
  copy: RunnerCopy;
  github: (credential: string, configUrl: string) => GitHubClient;
  publisher: Publisher;
  clock: Clock;
  log: Logger;
  instance: string;
}

interface Under {
  views: Pick<SweepViews, 'registrations' | 'specs' | 'installationId'>;
  /** Aborted when nothing may be done any more: the lease was lost, the run takes too long. */
  signal: AbortSignal;
}

/** `done`, or why it was left alone. */
export type ActResult = 'done' | 'moved on' | 'has a record' | 'busy' | 'list is gone';

/**
 * Does what a sweep found, if what it was decided about is still so. Any of it may be done twice: the
 * record's state and time decide about marks, its absence about adoptions, GitHub about registrations.
 * @throws when NATS or GitHub cannot be reached; whether it was done is then found out by the next run.
 */
export async function act(deps: ActDeps, finding: Finding, under: Under): Promise<ActResult> {
  under.signal.throwIfAborted();
  if (finding.action === 'mark') return await mark(deps, finding, under.signal);
  if (finding.action === 'adopt') return await adopt(deps, finding, under.signal);
  return await deregister(deps, finding, under);
}

async function mark(
  deps: ActDeps,
  { runner, mark: decided }: Extract<Finding, { action: 'mark' }>,
  signal: AbortSignal,
): Promise<ActResult> {
  // A runner that took a job, or got anywhere else, is not the one that was looked at.
  const onlyIf = ({ state, stateAt }: Runner) =>
    !signal.aborted && state === runner.state && stateAt === runner.stateAt;
  const marked = await markRunner({ ...deps, service: 'janitor', signal, onlyIf }, runner, decided);
  return marked ? 'done' : 'moved on';
}

async function adopt(
  { runners, publisher, clock, instance }: ActDeps,
  { runner, text, evidence }: Extract<Finding, { action: 'adopt' }>,
  signal: AbortSignal,
): Promise<ActResult> {
  const { scaleSetId, runnerId, name } = runner;
  const traceparent = mintSpan();
  const by = `janitor ${instance}`;
  const at = isoNow(clock);
  // Not where one was deleted a moment ago: what is listed is then what is being deleted.
  const key = runnerKey(scaleSetId, runnerId);
  const revision = await runners.createFirst(key, { ...runner, adopted: { at, by }, traceparent });
  if (revision === undefined) return 'has a record';
  const event: RunnerEvent = {
    ...{ v: 1, type: 'runner.adopted', scaleSetId, runnerId, runnerName: name },
    ...{ at, by, text, evidence },
  };
  await publisher.publish(eventSubject('janitor', scaleSetId, 'runner', 'adopted'), event, {
    messageId: `adopted-${runnerId}-${revision}`,
    traceparent,
    signal,
  });
  return 'done';
}

async function deregister(
  { github, publisher, clock, instance }: ActDeps,
  finding: Extract<Finding, { action: 'deregister' }>,
  { views, signal }: Under,
): Promise<ActResult> {
  const { registration, runnerId, scope, text, evidence } = finding;
  const view = views.registrations.get(scope);
  if (!view) return 'list is gone';
  const { client } = github(view.credential, view.configUrl);
  const { kind } = await client.removeRunner(registration.id, { signal });
  if (kind === 'busy') return 'busy';
  const scaleSetId = makerOf(finding, views) ?? 'all';
  const event: RunnerEvent = {
    ...{ v: 1, type: 'runner.deregistered', scaleSetId, runnerId },
    ...{ runnerName: registration.name, at: isoNow(clock), by: `janitor ${instance}` },
    ...{ text, evidence },
  };
  await publisher.publish(eventSubject('janitor', scaleSetId, 'runner', 'deregistered'), event, {
    messageId: `deregistered-${registration.id}`,
    signal,
  });
  return 'done';
}

/** The scale set whose runners have such names in that place, where there is but one. */
function makerOf(
  { registration: { name }, runnerId, scope }: Extract<Finding, { action: 'deregister' }>,
  { specs, installationId }: Under['views'],
): string | undefined {
  const [maker, ...others] = [...specs.values()].filter(
    (spec) =>
      scopeOf(spec) === scope &&
      name.startsWith(runnerName(runnerNamePrefix(spec.declaration), installationId, runnerId)),
  );
  return others.length === 0 ? maker?.scaleSetId : undefined;
}
