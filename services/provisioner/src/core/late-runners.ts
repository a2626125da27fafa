import { isBusy } from './demand.ts';
import type { Place, Situation } from './plan-input.ts';

/**
 * Places whose runners take so long to come online that the jobs they are for are in danger: GitHub
 * assigns a job that nobody takes again after 5 and 10 minutes, then cancels it. They do not count as
 * serving, so each is given a spare, once: a spare itself always counts. At most as many as there are
 * jobs that no runner online can take. When the late ones come after all, they count again, and
 * whoever idles longest is retired.
 */
export function lateRunners(
  { spec, demand, runners, nowMs }: Situation,
  kept: readonly Place[],
): Place[] {
  const lateMs = spec.declaration.spareAfterSeconds * 1_000;
  const views = kept.map((place) => ({ place, view: runners.get(place.runnerId) }));
  const online = views.filter(
    ({ view }) => typeof view === 'object' && (isBusy(view) || view.state === 'idle'),
  ).length;
  const late = views.filter(
    ({ place, view }) =>
      !place.spare &&
      typeof view === 'object' &&
      (view.state === 'creating' || view.state === 'starting') &&
      nowMs - Date.parse(place.namedAt) > lateMs,
  );
  const inDanger = Math.max(0, (demand?.assigned ?? 0) - online);
  return late.slice(0, inDanger).map(({ place }) => place);
}
