import { type Finding, type Plan, planFreshMs, type Spec } from '@baton/shared/contracts';
import { formatDuration } from './duration.ts';

/** A scale set that is to be served, and its plan when there is one. */
export interface Planned {
  spec: Spec;
  plan: Plan | undefined;
}

const check = 'capacity';
/** So many scale sets are named. */
const shown = 5;

/** What the plans say of the provisioners and their providers. Pure. */
export function capacityFindings(planned: readonly Planned[], nowMs: number): Finding[] {
  if (planned.length === 0) return [];
  const unheard = planned.filter(({ plan }) => freeOf(plan, nowMs) === undefined);
  const paused = planned.flatMap(({ spec, plan }) => {
    const reason = plan?.problem?.text ?? plan?.backoff?.reason;
    return reason === undefined ? [] : [{ name: spec.declaration.name, reason }];
  });
  const findings: Finding[] = paused.map(({ name, reason }) => ({
    check,
    about: `scale set ${name}`,
    outcome: 'warning',
    text: `runners cannot be created now: ${reason}`,
  }));
  if (unheard.length > 0) findings.unshift(unheardFinding(unheard, nowMs));
  if (findings.length > 0) return findings;
  const free = planned.reduce((sum, { plan }) => sum + (plan?.free ?? 0), 0);
  return [{ check, outcome: 'ok', text: `provisioners report room for ${free} more runners` }];
}

/** How many runners could be added; undefined when no provisioner has said so of late. Pure. */
export function freeOf(plan: Plan | undefined, nowMs: number): number | undefined {
  return plan && nowMs - Date.parse(plan.freeAt) <= planFreshMs ? plan.free : undefined;
}

/** A scale set that was declared just now may still be planned. */
function unheardFinding(unheard: readonly Planned[], nowMs: number): Finding {
  const since = unheard.map(({ spec, plan }) => Date.parse(plan?.freeAt ?? spec.updatedAt));
  const ageMs = nowMs - Math.min(...since);
  const names = unheard.map(({ spec }) => spec.declaration.name);
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return {
    check,
    outcome: ageMs <= planFreshMs ? 'warning' : 'failed',
    text: `no provisioner has reported free capacity for ${formatDuration(ageMs)}; is one running? (${names.slice(0, shown).join(', ')}${more})`,
  };
}
