import type { GitHubClient } from '@baton/scaleset';
import type { Runner, Spec } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { listScaleSetIds, type RunnerStore, type SpecStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import { markRunner } from './mark-runner.ts';
import type { Planner, PlannerDeps } from './planner.ts';

interface PassDeps extends PlannerDeps {
  specs: SpecStore;
  runners: RunnerStore;
  planner: Planner;
  github: (credential: string, configUrl: string) => GitHubClient;
  clock: Clock;
  log: Logger;
  /** From this age on a runner in one state is looked after, in ms. */
  createTimeoutMs: number;
}

/** A create command is published again for a runner that nobody has begun with for this long, in ms. */
const lostCommandMs = 5_000;
/** GitHub is asked for a runner that has been starting for this long, in ms. */
const askGithubMs = 5_000;

/**
 * The level-triggered pass: reads the records and makes good what an event or command that was lost
 * should have done. Safe to run at any time, in any number of processes.
 */
export async function periodicPass(deps: PassDeps): Promise<void> {
  const { specs, log } = deps;
  for (const { value: spec } of await specs.getMany(await listScaleSetIds(specs))) {
    try {
      await deps.planner.reconcile(spec.scaleSetId);
      await lookAfterRunners(deps, spec);
    } catch (err) {
      log.warn({ scaleSetId: spec.scaleSetId, err }, 'scale set could not be looked after');
    }
  }
}

async function lookAfterRunners(deps: PassDeps, spec: Spec): Promise<void> {
  const { clock, planner, copy } = deps;
  // Planning has just brought the copy up to date.
  const records = copy.under(spec.scaleSetId).map(({ value }) => value);
  const ageMs = (runner: Runner) => clock.now() - Date.parse(runner.stateAt);
  const waiting = records.filter((runner) => isWaiting(runner, ageMs(runner), deps));
  for (const runner of waiting) await planner.askForCreation(runner);

  const starting = records.filter((runner) => runner.state === 'starting');
  const asked = starting.filter((runner) => ageMs(runner) > askGithubMs);
  const online = asked.length > 0 ? await observeOnline(deps, spec, asked) : new Set<Runner>();
  const timeoutMs = spec.declaration.bootstrapTimeoutSeconds * 1_000;
  for (const runner of asked) {
    if (ageMs(runner) > timeoutMs && !online.has(runner)) {
      await markRunner(deps, runner, { reason: 'registration-deadline', gate: 'github' });
    }
  }
}

function isWaiting(runner: Runner, ageMs: number, { clock, createTimeoutMs }: PassDeps): boolean {
  if (runner.state === 'creating') return ageMs > 2 * createTimeoutMs;
  if (runner.state !== 'requested') return false;
  return runner.retryAt ? clock.now() > Date.parse(runner.retryAt) : ageMs > lostCommandMs;
}

/** Returns who is online. One list serves all starting runners; a field that is missing means unknown, never offline. */
async function observeOnline(
  deps: PassDeps,
  spec: Spec,
  starting: Runner[],
): Promise<ReadonlySet<Runner>> {
  const online = new Set<Runner>();
  const { credential, configUrl } = spec.declaration;
  const byName = new Map(starting.map((runner) => [runner.name, runner]));
  const { client } = deps.github(credential, configUrl);
  for (const { id, name, status } of await client.listRunners({ signal: deps.signal })) {
    const runner = byName.get(name);
    if (!runner || status !== 'online') continue;
    await observeRunner(deps, runner, { kind: 'online', githubRunnerId: id });
    online.add(runner);
  }
  return online;
}
