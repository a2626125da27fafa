import type { PlanResult, Situation } from './plan-input.ts';

/** Runners are too many only when they have been for this long, in ms. */
const surplusGraceMs = 15_000;

interface Surplus {
  /** How many runners are too many. */
  count: number;
  since: string | undefined;
  /** How many may be rotated out: no more than can be made anew. */
  rotations: number;
}

/**
 * Runners that can go: first those that nobody has begun to make, the youngest first, then idle ones,
 * the oldest first; nobody who is busy or on the way up. Surplus ones after a grace, as a job may be on
 * its way; those of an old generation as soon as new ones can be made.
 */
export function findRetired(
  { spec, records, kept, nowMs }: Situation,
  { count, since, rotations }: Surplus,
): PlanResult['retire'] {
  const places = new Set(kept.map(({ runnerId }) => runnerId));
  const idle = records
    .filter(({ state, runnerId }) => state === 'idle' && places.has(runnerId))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  const requested = records
    .filter(({ state, runnerId }) => state === 'requested' && places.has(runnerId))
    .toSorted((a, b) => (a.createdAt > b.createdAt ? -1 : 1));
  const lasting = since !== undefined && nowMs >= Date.parse(since) + surplusGraceMs;
  const tooMany = lasting ? [...requested, ...idle].slice(0, Math.max(0, count)) : [];
  const outdated = idle
    .filter((runner) => !tooMany.includes(runner))
    .filter(({ generation }) => generation !== spec.generation)
    .slice(0, Math.max(0, rotations));
  return [
    ...tooMany.map((runner) => ({ runner, reason: 'surplus' as const })),
    ...outdated.map((runner) => ({ runner, reason: 'rotation' as const })),
  ];
}
