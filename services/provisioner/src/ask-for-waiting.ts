import type { Runner, RunnerCommand } from '@baton/shared/contracts';
import type { Random } from '@baton/shared/retry';
import { isBoundHere, isElsewhere } from '@baton/shared/runners';
import type { RunnerCopy } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import type { CreateDeps } from './create-deps.ts';
import { createRunner } from './create-runner.ts';
import { failCreate } from './end-create.ts';
import { isAbandoned } from './is-abandoned.ts';
import { listRunners } from './list-runners.ts';

export interface AskDeps extends CreateDeps {
  /** Aborted when the drain budget is nearly used up. */
  signal: AbortSignal;
}

/** A create command is published again for a runner that nobody has begun with for this long, in ms. */
const lostCommandMs = 5_000;
/**
 * So many of a scale set are asked for at a time, the oldest: enough to tell every provisioner that
 * there is work. Whoever has done half of what it holds looks for more by itself.
 */
const mostAsked = 500;

/** A host that has not ended a create for this long is gone, in ms: no create takes so long. */
const hostGoneMs = 3_600_000;

/**
 * Asks for the creation of runners that nobody will create: commands were lost, waited in the memory
 * of a process that ended, or found no room there; a time to wait has passed; a creator has ended.
 * Safe to run in any number of processes: within five seconds one command is stored for a runner.
 */
export async function askForWaiting(deps: AskDeps, records: readonly Runner[]): Promise<void> {
  const nowMs = deps.clock.now();
  const due = records
    .filter((runner) => isWaiting(runner, nowMs))
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  const beingCreated = records.filter(({ state }) => state === 'creating');
  const isOfOthers = (runner: Runner) => isElsewhere(runner, deps.providers.get(runner.provider));
  const creating = beingCreated.filter((runner) => !isOfOthers(runner));
  const left = beingCreated.filter(
    (runner) => isOfOthers(runner) && ageMs(runner, nowMs) > hostGoneMs,
  );
  // At once: those of one creator share its probe.
  const verdicts = await Promise.all(creating.map((runner) => isAbandoned(deps, runner)));
  const abandoned = creating.filter((_runner, index) => verdicts[index]);
  await Promise.all([
    ...left.map((runner) => giveUpPlace(deps, runner)),
    ...abandoned.map((runner) => finishInterrupted(deps, runner)),
    ...due.slice(0, mostAsked).map((runner) => deps.planner.askForCreation(runner)),
  ]);
}

/** Its place is needed. What is left of it on its host stays that host's matter, should it come back. */
async function giveUpPlace(deps: AskDeps, runner: Runner): Promise<void> {
  const text = `host ${runner.hostId ?? ''} has not ended its create and is taken to be gone`;
  await failCreate(deps, runner, { class: 'interrupted', text });
}

/** A command about a create that is bound to a host would reach any host; this one can look by itself. */
async function finishInterrupted(deps: AskDeps, runner: Runner): Promise<void> {
  const { providers, planner, log, signal } = deps;
  const { scaleSetId, runnerId, provider, traceparent } = runner;
  if (!isBoundHere(runner, providers.get(provider))) return await planner.askForCreation(runner);
  try {
    await createRunner(deps, { v: 1, scaleSetId, runnerId, traceparent }, signal);
  } catch (err) {
    signal.throwIfAborted();
    log.warn({ runnerId, err }, 'interrupted create could not be finished, the next pass tries');
  }
}

/**
 * Runners of a scale set that wait for creation in a provider and that `isKnown` does not hold for;
 * any of them, so that provisioners that look at the same time seldom choose the same.
 */
export async function findWaiting(
  { copy, clock, random }: { copy: RunnerCopy; clock: Clock; random: Random },
  scaleSetId: string,
  {
    provider,
    count,
    isKnown,
  }: { provider: string; count: number; isKnown: (id: string) => boolean },
): Promise<RunnerCommand[]> {
  const nowMs = clock.now();
  const waiting = (await listRunners({ copy }, scaleSetId))
    .filter((runner) => runner.provider === provider && isDue(runner, nowMs))
    .filter(({ runnerId }) => !isKnown(runnerId));
  return waiting
    .map((runner) => ({ runner, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ runner: { runnerId, traceparent } }) => ({
      v: 1,
      scaleSetId,
      runnerId,
      provider,
      traceparent,
    }));
}

function isWaiting(runner: Runner, nowMs: number): boolean {
  return (
    isDue(runner, nowMs) && (runner.retryAt !== undefined || ageMs(runner, nowMs) > lostCommandMs)
  );
}

function isDue({ state, retryAt }: Runner, nowMs: number): boolean {
  return state === 'requested' && (retryAt === undefined || nowMs > Date.parse(retryAt));
}

function ageMs({ stateAt }: Runner, nowMs: number): number {
  return nowMs - Date.parse(stateAt);
}
