import {
  type Deletion,
  type Runner,
  type RunnerCommand,
  runnerKey,
  type Spec,
} from '@baton/shared/contracts';
import { ContractError, errorText } from '@baton/shared/errors';
import { isElsewhere, transition } from '@baton/shared/runners';
import { isoNow } from '@baton/shared/time';
import { afterFailure, type Failure } from './core/failed-step.ts';
import { judgeRefusal, patienceEndsMs } from './core/judge-refusal.ts';
import { nextStep, notBegun, type Step } from './core/next-step.ts';
import { orFailure, tryDelete, tryDeregister } from './delete-attempts.ts';
import { type DeleteDeps, type Found, nameOf } from './delete-deps.ts';
import { findListed } from './delete-instance.ts';
import { inStepSpan, recordDeletion, recordEnd } from './delete-spans.ts';
import type { Deregistered } from './deregister.ts';
import { tellDeleted, tellKept } from './runner-events.ts';
import { settle, withoutClaim } from './settle.ts';

type Refused = Extract<Deregistered, { kind: 'refused' }>;

/** What a deletion needs next: a hand of this lane. */
export type Lane = string;

/**
 * The lane of what comes next in the runner's deletion, or undefined while there is nothing for us to do.
 * A provider that hangs holds up neither another nor GitHub's part, and the other way round.
 */
export async function laneOf(deps: DeleteDeps, runner: Runner): Promise<Lane | undefined> {
  const step = stepHere(deps, runner);
  if (step !== 'deregister') return step && `provider ${runner.provider}`;
  const declaration = (await specOf(deps, runner))?.declaration;
  return `github ${declaration?.credential ?? ''} ${declaration?.configUrl ?? ''}`;
}

/** One that cannot be understood keeps nobody else waiting: the step itself says so in the record. */
async function specOf({ specs }: DeleteDeps, { scaleSetId }: Runner): Promise<Spec | undefined> {
  try {
    return await specs.get(scaleSetId);
  } catch (error) {
    if (error instanceof ContractError) return undefined;
    throw error;
  }
}

/** What is on another host is left to that host's janitor, unless the host is said to be gone. */
function stepHere(deps: DeleteDeps, runner: Runner): Step | undefined {
  const isOthers = isElsewhere(runner, deps.providers.get(runner.provider));
  if (isOthers && !runner.mark?.hostGone) return undefined;
  return nextStep(runner, { nowMs: deps.clock.now(), by: nameOf(deps) });
}

/**
 * The record of a marked runner, or undefined. It may be an old copy, which does no harm: with an open gate
 * the runner goes whatever was written since; behind a shut one GitHub is asked first, and its answer is
 * written, at this revision, before anything else is done.
 */
export async function findMarked(
  { copy, runners }: DeleteDeps,
  { scaleSetId, runnerId }: RunnerCommand,
): Promise<Found | undefined> {
  const key = runnerKey(scaleSetId, runnerId);
  const copied = copy.lookup(key);
  if (copied.kind === 'deleted') return undefined;
  if (copied.kind === 'found' && copied.value.mark) return copied;
  const found = await runners.get(key);
  return found?.value.mark ? found : undefined;
}

/**
 * Does the next step of a deletion, if it belongs to `lane`; returns the lane of the one after it.
 *
 * Every step may be repeated and its result stands in the record, so that any janitor carries on
 * where another stopped; two at once do the same things twice, which changes nothing. With gate
 * `none` the instance goes first and GitHub is told when it can be; with gate `github` the instance
 * goes only after GitHub has accepted the deregistration. What fails is written into the record with
 * the time of the next try, and left to the pass.
 * @throws AppError `nats`: how far it came stands in the record, or nothing was changed.
 */
export async function advance(
  deps: DeleteDeps,
  command: RunnerCommand,
  lane: Lane,
  signal: AbortSignal,
): Promise<Lane | undefined> {
  const found = await findMarked(deps, command);
  const step = found && stepHere(deps, found.value);
  if (!step) return undefined;
  const wanted = await laneOf(deps, found.value);
  if (wanted !== lane) return wanted;
  const after = await carryOut(deps, found, step, signal);
  return after && (await laneOf(deps, after.value));
}

/** The record afterwards; undefined when it is gone, or not marked any more. */
async function carryOut(
  deps: DeleteDeps,
  found: Found,
  step: Step,
  signal: AbortSignal,
): Promise<Found | undefined> {
  if (step === 'remove-record') return await removeRecord(deps, found);
  if (step === 'delete-instance') return await instanceStep(deps, found, signal);
  return await deregisterStep(deps, found, signal);
}

async function instanceStep(
  deps: DeleteDeps,
  before: Found,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const runner = before.value;
  const { found, result } = await tryDelete(deps, before, signal);
  if ('error' in result)
    return await fail(deps, found, { step: 'delete-instance', text: errorText(result.error) });
  const { known } = result;
  // A list that was asked for too early: the pass looks again, and nobody asks in a circle until then.
  if (!known) return undefined;
  // Its creator may have written down another instance meanwhile: that one is not gone.
  const isSame = ({ instanceId }: Runner) => instanceId === runner.instanceId;
  const gone: { runner?: Runner | undefined } = {};
  const after = await proceed(deps, found, (deletion, current) => {
    gone.runner = isSame(current) ? current : undefined;
    return gone.runner && { ...withoutClaim(deletion), ...known };
  });
  const { instanceDeletedAt } = known;
  if (gone.runner && instanceDeletedAt !== undefined)
    deps.metrics.instanceGone(gone.runner, instanceDeletedAt);
  return after;
}

async function deregisterStep(
  deps: DeleteDeps,
  before: Found,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const { found, result } = await tryDeregister(deps, before, signal);
  if (result.kind === 'refused') return await refused(deps, found, result, signal);
  // It may have been told apart meanwhile: then another registration was let go, or none.
  const { name, githubRunnerId } = before.value;
  const isSame = (runner: Runner) =>
    runner.name === name && runner.githubRunnerId === githubRunnerId;
  return await proceed(deps, found, (deletion, runner) =>
    isSame(runner) ? { ...withoutClaim(deletion), deregistered: true } : undefined,
  );
}

async function refused(
  deps: DeleteDeps,
  found: Found,
  { why, text }: Refused,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const { clock, limits } = deps;
  const runner = found.value;
  switch (judgeRefusal(runner, why, clock.now(), limits)) {
    case 'keep':
      return await keep(deps, found, 'GitHub says that it runs a job');
    case 'leave':
      return await removeRecord(
        deps,
        found,
        `its registration is left to GitHub and to the sweep orphan-registrations: ${text}`,
      );
    case 'look-again':
      return await lookAgain(deps, found, signal);
    case 'retry':
      return await fail(deps, found, {
        step: 'deregister',
        text,
        notAfterMs: patienceEndsMs(runner, why, limits),
      });
  }
}

/**
 * GitHub has believed in a lost runner's job for long. Where the provider still does not list it, its
 * instance is taken to be gone and is not deleted: if the provider was wrong all the time, the instance
 * comes back as one without a record, and its job does not die.
 */
async function lookAgain(
  deps: DeleteDeps,
  found: Found,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const listed = await orFailure(signal, async () => ({
    one: await findListed(deps, found.value),
  }));
  if ('error' in listed)
    return await fail(deps, found, { step: 'deregister', text: errorText(listed.error) });
  if (listed.one)
    return await keep(deps, found, 'its provider lists it, and GitHub says it is busy');
  const instanceDeletedAt = isoNow(deps.clock);
  return await settle(deps, found, (deletion) => ({
    ...withoutClaim(deletion),
    instanceDeleted: true,
    instanceDeletedAt,
  }));
}

/** Writes a success down; of the last step the removal of the record itself is the progress. */
async function proceed(
  deps: DeleteDeps,
  found: Found,
  change: (deletion: Deletion, runner: Runner) => Deletion | undefined,
): Promise<Found | undefined> {
  const deletion = change(found.value.deletion ?? notBegun, found.value);
  if (deletion?.deregistered && deletion.instanceDeleted) {
    const gone = await removeRecord(deps, { ...found, value: { ...found.value, deletion } });
    if (!gone) return undefined;
    return await settle(deps, gone, change);
  }
  return await settle(deps, found, change);
}

/** Undefined when the record is gone; else it was changed meanwhile. */
async function removeRecord(
  deps: DeleteDeps,
  found: Found,
  note?: string,
): Promise<Found | undefined> {
  const runner = found.value;
  const after = await inStepSpan('remove-record', runner, () => removeOnce(deps, found, note));
  if (after !== 'removed') return after;
  deps.metrics.removed(runner);
  recordEnd(runner, deps.clock.now());
  return undefined;
}

async function removeOnce(
  deps: DeleteDeps,
  { value: runner, revision }: Found,
  note: string | undefined,
): Promise<Found | undefined | 'removed'> {
  const { runners, copy, log } = deps;
  const { scaleSetId, runnerId, mark } = runner;
  const key = runnerKey(scaleSetId, runnerId);
  await tellDeleted(deps, runner, note);
  if (!(await runners.delete(key, revision))) {
    // What comes next is decided from the copy: it must not be decided from the old one again.
    await copy.sync();
    return await runners.get(key);
  }
  log.info({ scaleSetId, runnerId, reason: mark?.reason, note }, 'runner deleted');
  return 'removed';
}

/** It must not go: takes its mark back. Somebody who has changed the record meanwhile is right. */
async function keep(deps: DeleteDeps, found: Found, text: string): Promise<undefined> {
  const { runners, clock, log } = deps;
  const { scaleSetId, runnerId, mark } = found.value;
  const at = isoNow(clock);
  if (!mark) return;
  const note = { markedAt: mark.at, at, by: nameOf(deps), reason: mark.reason, text };
  const kept = transition(found.value, { kind: 'unmarked', kept: note }, at);
  if (kept.kind !== 'moved') return;
  const key = runnerKey(scaleSetId, runnerId);
  const revision = await runners.update(key, kept.runner, found.revision);
  if (revision === undefined) return;
  recordDeletion(found.value, 'kept', clock.now());
  log.info({ scaleSetId, runnerId, reason: mark.reason, text }, 'runner stays');
  await tellKept(deps, found.value, revision, text);
}

async function fail(
  deps: DeleteDeps,
  found: Found,
  failure: Omit<Failure, 'nowMs' | 'random'>,
): Promise<Found | undefined> {
  const { clock, random, log, metrics } = deps;
  const { step, text } = failure;
  metrics.failed(found.value, step);
  const after = await settle(deps, found, (deletion) =>
    afterFailure(withoutClaim(deletion), { ...failure, nowMs: clock.now(), random }),
  );
  const { scaleSetId, runnerId } = found.value;
  const { attempts, retryAt } = after?.value.deletion ?? {};
  log.warn({ scaleSetId, runnerId, attempts, retryAt, step, text }, 'deletion step failed');
  return undefined;
}
