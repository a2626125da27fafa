import type { Runner } from '@baton/shared/contracts';
import { listScaleSetIds, type SpecStore } from '@baton/shared/stores';
import { type Clock, withDeadline } from '@baton/shared/time';
import { listRunners } from './list-runners.ts';
import { markRunner } from './mark-runner.ts';
import type { Planner, PlannerDeps } from './planner.ts';
import type { SideBySide } from './side-by-side.ts';

export interface PassDeps extends PlannerDeps {
  specs: SpecStore;
  planner: Planner;
  clock: Clock;
  /** The scale sets that are being looked after. */
  passes: SideBySide;
  /** From this age on a runner in one state is looked after, in ms. */
  createTimeoutMs: number;
}

/** A create command is published again for a runner that nobody has begun with for this long, in ms. */
const lostCommandMs = 5_000;
/** Nobody waits longer for one scale set than this, in ms. */
const timeoutMs = 30_000;

/**
 * The level-triggered pass: reads the records and makes good what an event or command that was lost
 * should have done. Safe to run at any time, in any number of processes. A scale set that hangs or
 * fails costs the others nothing.
 */
export async function periodicPass(deps: PassDeps): Promise<void> {
  const { specs, passes, planner, clock, signal } = deps;
  await passes.run(await listScaleSetIds(specs), (scaleSetId) =>
    withDeadline({ clock, timeoutMs, what: `look after ${scaleSetId}`, signal }, async () => {
      await planner.reconcile(scaleSetId);
      await lookAfterRunners(deps, scaleSetId);
    }),
  );
}

async function lookAfterRunners(deps: PassDeps, scaleSetId: string): Promise<void> {
  const records = await listRunners(deps, scaleSetId);
  for (const runner of records) {
    if (isWaiting(runner, deps)) await deps.planner.askForCreation(runner);
    // Whoever saw that it is lost may have ended before it could mark it.
    if (runner.state === 'lost') await markRunner(deps, runner, { reason: 'lost', gate: 'github' });
  }
}

function isWaiting(runner: Runner, { clock, createTimeoutMs }: PassDeps): boolean {
  const ageMs = clock.now() - Date.parse(runner.stateAt);
  if (runner.state === 'creating') return ageMs > 2 * createTimeoutMs;
  if (runner.state !== 'requested') return false;
  return runner.retryAt ? clock.now() > Date.parse(runner.retryAt) : ageMs > lostCommandMs;
}
