import { isBusy } from './demand.ts';
import type { Situation } from './plan-input.ts';

/**
 * How many places are not counted as serving, because their runners take so long to come online that
 * the jobs they are for are in danger: GitHub assigns a job that nobody takes again after 5 and 10
 * minutes, then cancels it. So each is given a spare, once: a spare itself always counts. At most as
 * many as there are jobs that nobody else online can take. When the late ones come after all, they
 * count again, and who has been idle longest is retired.
 */
export function countLate({ spec, demand, runners, kept, nowMs }: Situation): number {
  const lateMs = spec.declaration.spareAfterSeconds * 1_000;
  const views = kept
    .filter(({ spare }) => !spare)
    .map(({ runnerId, namedAt }) => ({ namedAt, view: runners.get(runnerId) }));
  const online = views.filter(
    ({ view }) => typeof view === 'object' && (isBusy(view) || view.state === 'idle'),
  ).length;
  const late = views.filter(
    ({ namedAt, view }) =>
      typeof view === 'object' &&
      (view.state === 'creating' || view.state === 'starting') &&
      nowMs - Date.parse(namedAt) > lateMs,
  ).length;
  return Math.min(late, Math.max(0, (demand?.assigned ?? 0) - online));
}
