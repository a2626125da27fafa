import { attributes, recordSpan } from '@baton/shared/telemetry';
import type { PlanResult } from './core/plan-input.ts';

interface PlanPass {
  scaleSetId: string;
  /** The `traceparent` of who asked for it; undefined for a pass by the clock. */
  askedBy: string | undefined;
  /** Wall clock, ms since 1970. */
  startedAt: number;
  endedAt: number;
  /** Undefined when it failed, or there is no such scale set any more. */
  result?: PlanResult | undefined;
  error?: unknown;
}

/**
 * Tells of a pass over a scale set, when something that is traced asked for it, or when it changed
 * something: most passes are made by the clock and change nothing.
 */
export function tellPlan({
  scaleSetId,
  askedBy,
  startedAt,
  endedAt,
  result,
  error,
}: PlanPass): void {
  const { request = [], ended = [], retire = [], changes = [] } = result ?? {};
  const changed = request.length + ended.length + retire.length + changes.length > 0;
  if (!changed && askedBy === undefined) return;
  recordSpan('plan', {
    parent: askedBy ?? null,
    startedAt,
    endedAt,
    attributes: {
      [attributes.scaleSet]: scaleSetId,
      [attributes.planWanted]: result?.wanted,
      [attributes.planAlive]: result?.plan.runners.length,
      [attributes.planRequested]: request.length,
      [attributes.planRetired]: ended.length + retire.length,
      [attributes.planWaiting]: result?.plan.waiting?.reason,
    },
    error,
  });
}
