import type { Plan, Spec } from '@baton/shared/contracts';
import { isoOf, isPast, type Situation } from './plan-input.ts';

type Outdated = Plan['outdated'];

/**
 * One runner is tried after the first of these times, in ms, and after twice as long each time, up to the
 * last: the image behind a tag may have been replaced, and a single 7 may have another cause.
 */
const firstProbeMs = 60_000;
const lastProbeMs = 30 * 60_000;

/**
 * Stops creation for a generation whose runner program GitHub does not take any more: such a runner
 * exits with 7. Runners that live go on, and the session stays. A changed generation begins anew.
 */
export function nextOutdated({ plan, spec, ends, records, nowMs }: Situation): Outdated {
  const before = plan?.outdated?.generation === spec.generation ? plan.outdated : undefined;
  const again = ends.some(
    ({ kind, generation, place }) =>
      kind === 'outdated' &&
      generation === spec.generation &&
      (!before || place.namedAt >= before.retryAt),
  );
  if (again) {
    const tried = before ? before.tried + 1 : 0;
    const retryAt = isoOf(nowMs + Math.min(lastProbeMs, firstProbeMs * 2 ** tried));
    return { generation: spec.generation, since: before?.since ?? isoOf(nowMs), retryAt, tried };
  }
  const works = records.some(
    ({ state, generation, createdAt }) =>
      (state === 'idle' || state === 'busy') &&
      generation === spec.generation &&
      before !== undefined &&
      createdAt >= before.retryAt,
  );
  return works ? undefined : before;
}

/** How many more runners may be named now. */
export function allowedByOutdated(
  outdated: Outdated,
  { kept, nowMs }: Pick<Situation, 'kept' | 'nowMs'>,
): number {
  if (!outdated) return Number.POSITIVE_INFINITY;
  if (!isPast(outdated.retryAt, nowMs)) return 0;
  return Math.max(0, 1 - kept.filter(({ namedAt }) => namedAt >= outdated.retryAt).length);
}

/** What the operator is told; undefined while there is nothing to tell. */
export function outdatedText(outdated: Outdated, { declaration }: Spec): string | undefined {
  if (!outdated) return undefined;
  return `the runner program of provider "${declaration.provider}" is too old for GitHub (exit code 7): install a current actions/runner there, in a new image name it in the settings and apply; no runners are made before, but for one that is tried at ${outdated.retryAt}`;
}
