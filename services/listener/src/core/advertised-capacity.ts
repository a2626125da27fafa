import { type Plan, planFreshMs, type Spec } from '@baton/shared/contracts';

/**
 * The value of `X-ScaleSetMaxCapacity`: how many runners the scale set could run in all. GitHub
 * assigns no more jobs than that, and takes a missing value for "unlimited" (measured), so nothing
 * is polled without it. Pure.
 */
export function advertisedCapacity(spec: Spec, plan: Plan | undefined, nowMs: number): number {
  if (!plan || spec.deleting) return 0;
  const alive = plan.runners.length;
  const fresh = nowMs - Date.parse(plan.freeAt) <= planFreshMs;
  return Math.min(spec.declaration.maxRunners, alive + (fresh ? plan.free : 0));
}
