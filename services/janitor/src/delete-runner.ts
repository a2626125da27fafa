import type { ComputeProvider } from '@baton/providers';
import type { GitHubClient } from '@baton/scaleset';
import { eventSubject, type Runner, type RunnerCommand, runnerKey } from '@baton/shared/contracts';
import { AppError, ConfigError, errorText } from '@baton/shared/errors';
import { done, type Outcome, type Publisher } from '@baton/shared/messaging';
import { backoffMs, type Random } from '@baton/shared/retry';
import { isElsewhere, transition } from '@baton/shared/runners';
import type { RunnerStore, SpecStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow, withDeadline } from '@baton/shared/time';

export interface DeleteDeps {
  specs: SpecStore;
  runners: RunnerStore;
  providers: ReadonlyMap<string, ComputeProvider>;
  github: (credential: string, configUrl: string) => GitHubClient;
  publisher: Publisher;
  clock: Clock;
  random: Random;
  log: Logger;
  instance: string;
  /** Longest time that a provider may take to delete an instance, in ms. */
  deleteTimeoutMs: number;
}

type Deletion = NonNullable<Runner['deletion']>;

const retryPolicy = { baseMs: 2_000, maxMs: 300_000, minMs: 1_000 };
const notBegun: Deletion = { attempts: 0, deregistered: false, instanceDeleted: false };

/**
 * Deletes a marked runner: registration, instance, record.
 *
 * Every step may be repeated and its result stands in the record, so that any janitor carries on
 * where another stopped; two at once do the same things twice, which changes nothing. With gate
 * `none` the instance goes first and GitHub is told when it can be; with gate `github` the instance
 * goes only after GitHub has accepted the deregistration. What fails is written into the record with
 * the time of the next try, and left to the pass. A runner on another host is left to the pass of that
 * host's janitor.
 */
export async function deleteRunner(
  deps: DeleteDeps,
  { scaleSetId, runnerId }: RunnerCommand,
  signal: AbortSignal,
): Promise<Outcome> {
  const { runners, clock } = deps;
  const key = runnerKey(scaleSetId, runnerId);
  const entry = await runners.get(key);
  if (!entry?.value.mark) return done();
  const { value: found } = entry;
  if (isElsewhere(found, deps.providers.get(found.provider))) return done();
  if (found.deletion?.retryAt && Date.parse(found.deletion.retryAt) > clock.now()) return done();
  const begun = transition(found, { kind: 'deleting' }, isoNow(clock));
  let runner: Runner = begun.kind === 'refused' ? found : begun.runner;
  let revision: number | undefined = entry.revision;

  for (const step of stepsOf(runner)) {
    const result = await attempt(deps, runner, step, signal);
    if (result.kind === 'busy') {
      await keepRunner(deps, key, runner, revision);
      return done();
    }
    runner = { ...runner, deletion: result.deletion };
    if (result.kind === 'failed') {
      await runners.update(key, runner, revision);
      return done();
    }
    // The last step's progress is the removal of the record itself.
    if (isFinished(result.deletion)) break;
    revision = await runners.update(key, runner, revision);
    if (revision === undefined) return done();
  }
  await publishDeleted(deps, runner);
  await runners.delete(key, revision);
  deps.log.info({ scaleSetId, runnerId, reason: runner.mark?.reason }, 'runner deleted');
  return done();
}

type Step = 'deregister' | 'delete-instance';
type StepResult =
  | { kind: 'done'; deletion: Deletion }
  | { kind: 'failed'; deletion: Deletion }
  | { kind: 'busy' };

/** What is left to do, in the order that the gate asks for. */
function stepsOf(runner: Runner): Step[] {
  const { deletion } = runner;
  const order: Step[] = isGateOpen(runner)
    ? ['delete-instance', 'deregister']
    : ['deregister', 'delete-instance'];
  return order.filter((step) =>
    step === 'deregister' ? !deletion?.deregistered : !deletion?.instanceDeleted,
  );
}

/** A runner that was seen to end cannot have taken a job, whatever GitHub still believes. */
function isGateOpen({ mark, exit }: Runner): boolean {
  return mark?.gate === 'none' || exit !== undefined;
}

function isFinished({ deregistered, instanceDeleted }: Deletion): boolean {
  return deregistered && instanceDeleted;
}

async function attempt(
  deps: DeleteDeps,
  runner: Runner,
  step: Step,
  signal: AbortSignal,
): Promise<StepResult> {
  const before = runner.deletion ?? notBegun;
  try {
    if (step === 'delete-instance') {
      await deleteInstance(deps, runner, signal);
      return { kind: 'done', deletion: { ...before, instanceDeleted: true } };
    }
    const busy = await deregister(deps, runner, signal);
    if (!busy) return { kind: 'done', deletion: { ...before, deregistered: true } };
    if (!isGateOpen(runner) && runner.mark?.reason !== 'lost') return { kind: 'busy' };
    // One that is lost has no instance to be busy in, as far as its provider says: no longer a place
    // either. Its gate stays shut until GitHub has noticed, or its job is over.
    throw new AppError('github', 'GitHub still believes that the runner runs a job');
  } catch (error) {
    signal.throwIfAborted();
    const attempts = before.attempts + 1;
    const delayMs = backoffMs(before.attempts, retryPolicy, deps.random);
    const retryAt = new Date(deps.clock.now() + delayMs).toISOString();
    const { scaleSetId, runnerId } = runner;
    deps.log.warn(
      { scaleSetId, runnerId, step, attempts, retryAt, err: error },
      'deletion step failed',
    );
    return {
      kind: 'failed',
      deletion: { ...before, attempts, retryAt, lastError: errorText(error) },
    };
  }
}

async function deleteInstance(
  deps: DeleteDeps,
  runner: Runner,
  signal: AbortSignal,
): Promise<void> {
  const { providers, clock, deleteTimeoutMs } = deps;
  const provider = providers.get(runner.provider);
  if (!provider) {
    throw new ConfigError(
      `provider "${runner.provider}" is not in the janitor's BATON_PROVIDERS_FILE`,
    );
  }
  await withDeadline(
    { clock, timeoutMs: deleteTimeoutMs, what: 'delete instance', signal },
    async (within) => {
      if (isUntouched(runner)) return;
      const instanceId = runner.instanceId ?? (await findInstance(provider, runner, within));
      if (instanceId !== undefined) await provider.delete(instanceId, within);
    },
  );
}

/** Nobody has ever begun to make it: there is nothing anywhere to look for. */
function isUntouched({ creator, instanceId, githubRunnerId }: Runner): boolean {
  return creator === undefined && instanceId === undefined && githubRunnerId === undefined;
}

/** An instance whose creator ended before it could write its id down. */
async function findInstance(provider: ComputeProvider, runner: Runner, signal: AbortSignal) {
  const instances = await provider.list(signal);
  return instances.find(({ runnerId }) => runnerId === runner.runnerId)?.instanceId;
}

/** Takes the runner off GitHub's list; returns whether GitHub refuses because it runs a job. */
async function deregister(deps: DeleteDeps, runner: Runner, signal: AbortSignal): Promise<boolean> {
  const spec = (await deps.specs.get(runner.scaleSetId))?.value;
  if (!spec)
    throw new AppError(
      'config',
      `scale set ${runner.scaleSetId} has no spec to find its credential by`,
    );
  const { client } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
  if (isUntouched(runner)) return false;
  const id = runner.githubRunnerId ?? (await client.findRunnerByName(runner.name, { signal }))?.id;
  if (id === undefined) return false;
  const result = await client.removeRunner(id, { signal });
  return result.kind === 'busy';
}

/** GitHub refused because the runner has taken a job: it is none of those that must go. */
async function keepRunner(
  { runners, clock, log }: DeleteDeps,
  key: string,
  runner: Runner,
  revision: number,
): Promise<void> {
  const kept = transition(runner, { kind: 'unmarked' }, isoNow(clock));
  if (kept.kind !== 'moved') return;
  await runners.update(key, kept.runner, revision);
  log.info({ runnerId: runner.runnerId }, 'runner is busy and stays');
}

async function publishDeleted(deps: DeleteDeps, runner: Runner): Promise<void> {
  const { publisher, clock, instance } = deps;
  const { scaleSetId, runnerId, name, mark, traceparent } = runner;
  await publisher.publishOnce(
    eventSubject('janitor', scaleSetId, 'runner', 'deleted'),
    {
      v: 1,
      type: 'runner.deleted',
      scaleSetId,
      runnerId,
      runnerName: name,
      at: isoNow(clock),
      by: `janitor ${instance}`,
      reason: mark?.reason,
    },
    { messageId: `deleted-${runnerId}`, traceparent },
  );
}
