import { runnerKey } from '@baton/shared/contracts';
import { observeRunner, type RunnerChange } from '@baton/shared/runners';
import type { RunnerStore } from '@baton/shared/stores';
import { type TellDeps, tellStep } from '../tell-step.ts';
import type { RunnerRef } from './bootstrap-tokens.ts';
import type { InstanceReport } from './core/read-report.ts';

export interface ReportDeps extends TellDeps {
  runners: RunnerStore;
  onChange?: (change: RunnerChange) => void;
  planner: { reconcile: (scaleSetId: string) => Promise<unknown> };
}

/**
 * Writes what an instance says into its runner's record. A failure ends the runner and has it replaced;
 * anything else is a text for people: that a runner is online is GitHub's to say. Safe to repeat.
 */
export async function noteReport(
  deps: ReportDeps,
  runner: RunnerRef,
  report: InstanceReport,
): Promise<void> {
  const { log, planner } = deps;
  const { scaleSetId, runnerId } = runner;
  log.info({ scaleSetId, runnerId, kind: report.kind, text: report.text }, 'instance reports');
  if (report.kind === 'progress') return await noteProgress(deps, runner, report.text);
  const failure = { class: 'bootstrap-failed', text: report.text };
  tellStep(deps, await observeRunner(deps, runner, { kind: 'failed', failure }));
  await planner.reconcile(runner.scaleSetId);
}

/** The latest of two texts at once may be lost: the next one comes. */
async function noteProgress(
  { runners }: ReportDeps,
  { scaleSetId, runnerId }: RunnerRef,
  progress: string,
): Promise<void> {
  const entry = await runners.get(runnerKey(scaleSetId, runnerId));
  if (!entry || entry.value.progress === progress) return;
  await runners.update(entry.key, { ...entry.value, progress }, entry.revision);
}
