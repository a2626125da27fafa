import { comparePositions, type Plan, type Runner, type Spec } from '@baton/shared/contracts';
import type { PlanInput } from './plan-input.ts';

/** The later of the recorded demand and the one that was applied: an old epoch changes nothing. */
export function latestDemand({ demand, plan }: Pick<PlanInput, 'demand' | 'plan'>): Plan['demand'] {
  const applied = plan?.demand;
  if (!demand) return applied;
  if (applied && comparePositions(applied, demand) > 0) return applied;
  const { epoch, seq, assigned, observedAt, registered, busy, messageAt } = demand;
  return { epoch, seq, assigned, observedAt, registered, busy, messageAt };
}

/** What jobs and `minRunners` ask for, however many that are. A disabled scale set asks for nothing. */
export function askedRunners(spec: Spec, demand: Plan['demand']): number {
  const { minRunners, enabled } = spec.declaration;
  if (!enabled && !spec.deleting) return 0;
  return (spec.deleting ? 0 : minRunners) + (demand?.assigned ?? 0);
}

export function isBusy({ state }: Runner): boolean {
  return state === 'busy';
}
