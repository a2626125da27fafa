import { listScaleSetIds, type SpecStore } from '@baton/shared/stores';
import { type Clock, withDeadline } from '@baton/shared/time';
import { type AskDeps, askForWaiting } from './ask-for-waiting.ts';
import { listRunners } from './list-runners.ts';
import { markRunner } from './mark-runner.ts';
import type { Planner, PlannerDeps } from './planner.ts';
import type { SideBySide } from './side-by-side.ts';

export interface PassDeps extends PlannerDeps, AskDeps {
  specs: SpecStore;
  planner: Planner;
  clock: Clock;
  /** The scale sets that are being looked after. */
  passes: SideBySide;
}

/** Nobody waits longer for one scale set than this, in ms. */
const timeoutMs = 30_000;

/**
 * The level-triggered pass: reads the records and makes good what an event or command that was lost
 * should have done. Safe to run at any time, in any number of processes. A scale set that hangs or
 * fails costs the others nothing.
 */
export async function periodicPass(deps: PassDeps): Promise<void> {
  const { specs, passes, planner, clock, signal } = deps;
  const scaleSetIds = await listScaleSetIds(specs);
  planner.forgetAllBut(scaleSetIds);
  await passes.run(scaleSetIds, (scaleSetId) =>
    withDeadline({ clock, timeoutMs, what: `look after ${scaleSetId}`, signal }, async () => {
      await planner.reconcile(scaleSetId);
      await lookAfterRunners(deps, scaleSetId);
    }),
  );
}

async function lookAfterRunners(deps: PassDeps, scaleSetId: string): Promise<void> {
  const records = await listRunners(deps, scaleSetId);
  await askForWaiting(deps, records);
  for (const runner of records) {
    // Whoever saw that it is lost may have ended before it could mark it.
    if (runner.state === 'lost') await markRunner(deps, runner, { reason: 'lost', gate: 'github' });
  }
}
