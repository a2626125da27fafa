import type { Plan } from '@baton/shared/contracts';
import { isBusy } from './demand.ts';
import { isoOf, type Situation } from './plan-input.ts';

type Mute = Plan['mute'];

/**
 * Notices a scale set that GitHub serves in name only: it counts assigned jobs and no registered
 * runner, although runners have these jobs by its own count, or one of ours is online; and it delivers
 * nothing. While runners start the first two are normal, so it must last longer than that may take.
 * Anything about jobs that is delivered ends it.
 */
export function nextMute({ plan, demand, records, nowMs }: Situation): Mute {
  if (!demand || demand.assigned === 0 || demand.registered !== 0) return undefined;
  if (records.some(isBusy)) return undefined;
  const contradicts = (demand.busy ?? 0) > 0 || records.some(({ state }) => state === 'idle');
  if (!contradicts && !plan?.mute) return undefined;
  const since = plan?.mute?.since ?? isoOf(nowMs);
  return demand.messageAt !== undefined && demand.messageAt > since ? undefined : { since };
}

/** What the operator is told; undefined while there is nothing to tell. */
export function muteText(
  mute: Mute,
  { spec, demand, nowMs }: Pick<Situation, 'spec' | 'demand' | 'nowMs'>,
): string | undefined {
  const timeoutMs = spec.declaration.bootstrapTimeoutSeconds * 1_000;
  if (!mute || nowMs - Date.parse(mute.since) < timeoutMs) return undefined;
  const { name } = spec.declaration;
  return `since ${mute.since} GitHub counts ${demand?.assigned ?? 0} assigned jobs and no runner, and delivers nothing: its scale set is stale. Only a new one is known to help; jobs that are bound to it are lost and must be run again: "baton delete scaleset ${name}", then apply it again`;
}
