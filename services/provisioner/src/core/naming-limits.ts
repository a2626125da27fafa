import type { Plan, WaitReason } from '@baton/shared/contracts';
import { allowedByBackoff, isOpen } from './creation-backoff.ts';
import { allowedByGhosts } from './ghost-brake.ts';
import { allowedByOutdated } from './outdated-hold.ts';
import type { Capacity, Situation } from './plan-input.ts';

interface Limit {
  reason: WaitReason;
  /** How many more runners may be named. */
  most: number;
  text: string;
  until?: string;
}

/** What holds creation back; computed before anybody is named. */
export type Brakes = Pick<Plan, 'backoff' | 'ghost' | 'outdated'>;

interface Needs {
  /** Of jobs and `minRunners`. */
  asked: number;
  /** Runners that can take one of these jobs, in time. */
  serving: number;
  capacity: Capacity;
  orphans: number | 'unknown';
  brakes: Brakes;
}

/**
 * How many runners are named now, and why not more.
 *
 * No more than `maxRunners` are ever alive, spares included. A second cap, twice that and ten, bounds
 * what exists in the provider, ended ones too: when nobody deletes, creation ends, too.
 */
export function countNamed(
  situation: Situation,
  needs: Needs,
): { count: number; waiting: Plan['waiting'] } {
  const { asked, serving } = needs;
  const { spec, demand } = situation;
  const disabled = !spec.declaration.enabled && !spec.deleting;
  const missing = Math.max(0, (disabled ? (demand?.assigned ?? 0) : asked) - serving);
  if (missing === 0) return { count: 0, waiting: undefined };
  let binding: Limit | undefined;
  for (const limit of limitsOf(situation, needs, disabled)) {
    if (limit.most < Math.min(missing, binding?.most ?? missing)) binding = limit;
  }
  const count = Math.max(0, Math.min(missing, binding?.most ?? missing));
  if (!binding) return { count, waiting: undefined };
  const { reason, text, until } = binding;
  const waiting = { reason, missing: missing - count, text, ...(until ? { until } : {}) };
  return { count, waiting };
}

/** How many runners of the generation of now may be tried. */
export function allowedByBrakes({ backoff, outdated }: Brakes, situation: Situation): number {
  return Math.min(allowedByBackoff(backoff, situation), allowedByOutdated(outdated, situation));
}

/** In the order in which they are told where several hold as much. */
function* limitsOf(
  situation: Situation,
  { asked, serving, capacity, orphans, brakes }: Needs,
  disabled: boolean,
): Iterable<Limit> {
  const { spec, kept, nowMs } = situation;
  const { maxRunners, provider } = spec.declaration;
  const { backoff, ghost, outdated } = brakes;
  if (disabled) yield { reason: 'disabled', most: 0, text: 'the scale set is disabled' };
  if ('problem' in capacity) yield { reason: 'provider', most: 0, text: capacity.problem };
  yield {
    reason: 'orphans',
    most: allowedByOrphans(orphans, Math.min(asked - serving, maxRunners - kept.length)),
    text:
      orphans === 'unknown'
        ? `provider "${provider}" has not been listed yet`
        : `${orphans} instances run without a record, and are counted until a janitor has adopted them`,
  };
  yield {
    reason: 'outdated',
    most: allowedByOutdated(outdated, situation),
    text: 'the runner program is too old for GitHub (exit code 7)',
    ...(outdated ? { until: outdated.retryAt } : {}),
  };
  yield {
    reason: backoff && isOpen(backoff) ? 'breaker' : 'back-off',
    most: allowedByBackoff(backoff, situation),
    text: backoff?.reason ?? '',
    ...(backoff ? { until: backoff.retryAt } : {}),
  };
  yield {
    reason: 'max-runners',
    most: maxRunners - kept.length,
    text: `maxRunners is ${maxRunners}`,
  };
  yield {
    reason: 'ghost-demand',
    most: allowedByGhosts(ghost, { asked, serving, spec, nowMs }),
    text: `${ghost?.ghosts ?? 0} of the jobs that GitHub counts are not believed`,
    ...(ghost ? { until: ghost.probeAt } : {}),
  };
  const undeleted = undeletedCount(situation);
  yield {
    reason: 'undeleted',
    most: 2 * maxRunners + 10 - kept.length - undeleted,
    text: `${undeleted} ended runners still have an instance: is a janitor running?`,
  };
  if ('free' in capacity) {
    const text = `provider "${provider}" has no more room for this scale set`;
    yield { reason: 'no-capacity', most: capacity.free, text };
  }
}

/** Each instance without a record may have one of the jobs. */
function allowedByOrphans(orphans: Needs['orphans'], missing: number): number {
  if (orphans === 'unknown') return 0;
  return orphans === 0 ? Infinity : Math.max(0, missing - orphans);
}

/** Records of runners that have no place and may have an instance. */
function undeletedCount({ records, kept }: Situation): number {
  const places = new Set(kept.map(({ runnerId }) => runnerId));
  return records.filter(
    ({ runnerId, instanceId, deletion }) =>
      !places.has(runnerId) && instanceId !== undefined && !deletion?.instanceDeleted,
  ).length;
}
