import {
  comparePositions,
  type Demand,
  deletedRunnerKeptMs,
  type Plan,
  type Runner,
  type Spec,
} from '@baton/shared/contracts';
import { type BackoffPolicy, backoffMs, type Random } from '@baton/shared/retry';

/** What is known of a runner id that the plan names. `never`: its record was not written yet. */
export type RunnerView = Runner | 'never' | 'deleted';

export interface PlanInput {
  spec: Spec;
  demand: Demand | undefined;
  plan: Plan | undefined;
  /** All records of the scale set, and what became of named ids that have none. */
  runners: ReadonlyMap<string, RunnerView>;
  /** Instances that the provider has room for, or why it cannot be asked. */
  capacity: { free: number } | { problem: string };
  nowMs: number;
  random: Random;
  newId: () => string;
}

export interface PlanResult {
  plan: Plan;
  /** Named ids that need a record and a create command. */
  request: string[];
  /** Ended runners that no place is kept for: they can go. */
  ended: Runner[];
  /** Idle runners that are too many or of an old generation: deregister, then delete. */
  retire: { runner: Runner; reason: 'surplus' | 'rotation' }[];
}

/**
 * A runner that was named this long ago and has no record is not made any more: it may have come and
 * gone, with nobody left who remembers. In ms.
 */
const namedMs = deletedRunnerKeptMs / 2;
/** A runner that exited with 0 keeps its place at the most this long, in ms. */
const keepPlaceMs = 60_000;
/** Clocks of two services may differ by this, in ms. */
const skewMs = 2_000;
/** A runner whose job is over may take this long to exit by itself, in ms. */
const completionGraceMs = 30_000;
/** Runners are too many only when they have been for this long, in ms. */
const surplusGraceMs = 15_000;
const backoffPolicy: BackoffPolicy = { baseMs: 1_000, maxMs: 300_000, minMs: 500 };

/**
 * How many runners a scale set needs, and what follows from it. Pure: the same input gives the same
 * plan, and a plan that was carried out halfway is carried on by planning again.
 */
export function planScaleSet(input: PlanInput): PlanResult {
  const { spec, plan, runners, nowMs } = input;
  const demand = latestDemand(input);
  const records = [...runners.values()].filter((view) => typeof view === 'object');
  const places = [...(plan?.runners ?? []), ...lostPlaces(plan, records)];
  const kept = places.filter((place) =>
    keepsPlace(runners.get(place.runnerId) ?? 'never', place, demand, nowMs),
  );
  const keptIds = new Set(kept.map(({ runnerId }) => runnerId));

  const backoff = nextBackoff(input, places, keptIds, records);
  const wanted = wantedRunners(spec, demand);
  const free = 'free' in input.capacity ? input.capacity.free : 0;
  const paused = backoff !== undefined && Date.parse(backoff.retryAt) > nowMs;
  const missing = paused ? 0 : Math.min(wanted - kept.length, free);
  const now = new Date(nowMs).toISOString();
  const named = Array.from({ length: Math.max(0, missing) }, () => ({
    runnerId: input.newId(),
    recorded: false,
    namedAt: now,
  }));

  const next = kept.map((place) => ({
    ...place,
    recorded: place.recorded || isRecord(runners.get(place.runnerId)),
  }));
  const surplus = next.length + named.length - wanted;
  const surplusSince = surplus > 0 ? (plan?.surplusSince ?? now) : undefined;
  return {
    plan: {
      ...withoutOptional(plan),
      v: 1,
      scaleSetId: spec.scaleSetId,
      ...(demand ? { demand } : {}),
      runners: [...next, ...named],
      free: Math.max(0, free - named.length),
      freeAt: now,
      ...(surplusSince === undefined ? {} : { surplusSince }),
      ...(backoff ? { backoff } : {}),
    },
    request: [...next, ...named]
      .filter(({ recorded }) => !recorded)
      .map(({ runnerId }) => runnerId),
    ended: records.filter((runner) => !keptIds.has(runner.runnerId) && hasEnded(runner, nowMs)),
    retire: toRetire(spec, records, keptIds, surplusSince, surplus, nowMs),
  };
}

/** The later of the recorded demand and the one that was applied: an old epoch changes nothing. */
function latestDemand({ demand, plan }: PlanInput): Plan['demand'] {
  const applied = plan?.demand;
  if (!demand) return applied;
  if (applied && comparePositions(applied, demand) > 0) return applied;
  const { epoch, seq, assigned, observedAt } = demand;
  return { epoch, seq, assigned, observedAt };
}

function wantedRunners(spec: Spec, demand: Plan['demand']): number {
  const { minRunners, maxRunners, enabled } = spec.declaration;
  if (!enabled && !spec.deleting) return 0;
  return Math.min(maxRunners, (spec.deleting ? 0 : minRunners) + (demand?.assigned ?? 0));
}

type Place = Plan['runners'][number];

/**
 * Places for runners that live and have none: GitHub refused to let one go because it was busy, or
 * the plan was lost.
 */
function lostPlaces(plan: Plan | undefined, records: readonly Runner[]): Place[] {
  const named = new Set((plan?.runners ?? []).map(({ runnerId }) => runnerId));
  return records
    .filter(({ runnerId, state }) => !named.has(runnerId) && isAlive(state))
    .map(({ runnerId, createdAt }) => ({ runnerId, recorded: true, namedAt: createdAt }));
}

function isAlive(state: Runner['state']): boolean {
  return ['requested', 'creating', 'starting', 'idle', 'busy'].includes(state);
}

/**
 * Whether a runner can still take or run a job, or must be counted as if it could. A finished job
 * stays in the demand until a message says that it is over; a runner that is seen to exit before
 * that message keeps its place, or every finished job would be given a second runner. Where the job is
 * known, that lasts until its end is: GitHub's messages may be held back for long, and a demand that was
 * read later may come from one that was written before the end.
 */
function keepsPlace(
  view: RunnerView,
  place: Place,
  demand: Plan['demand'],
  nowMs: number,
): boolean {
  if (view === 'deleted') return false;
  if (view === 'never') return !place.recorded && nowMs < Date.parse(place.namedAt) + namedMs;
  const leaving = view.state === 'failed' || view.state === 'lost';
  if (leaving || (view.mark && view.mark.reason !== 'completed')) return false;
  const exitMs = view.exit && Date.parse(view.exit.at);
  if (exitMs !== undefined && nowMs >= exitMs + keepPlaceMs) return false;
  if (view.completedIn) return !demand || comparePositions(demand, view.completedIn) < 0;
  return exitMs === undefined || mayStandInDemand(view, exitMs, demand);
}

/** Whether the job of a runner that exited may still be counted in the demand. */
function mayStandInDemand({ exit, job }: Runner, exitMs: number, demand: Plan['demand']): boolean {
  if (exit?.code !== 0) return false;
  return job !== undefined || !demand || Date.parse(demand.observedAt) <= exitMs + skewMs;
}

function hasEnded(runner: Runner, nowMs: number): boolean {
  if (runner.state === 'failed') return true;
  if (runner.state !== 'completed') return false;
  return runner.exit !== undefined || nowMs > Date.parse(runner.stateAt) + completionGraceMs;
}

/**
 * Grows with every runner that failed before it did any work; ends with one that came online. One
 * that merely started proves nothing: a broken image starts, and ends, every time.
 */
function nextBackoff(
  { plan, capacity, nowMs, random }: PlanInput,
  places: readonly Place[],
  keptIds: ReadonlySet<string>,
  records: readonly Runner[],
): Plan['backoff'] {
  if ('problem' in capacity) {
    const retryAt = new Date(nowMs + 5_000).toISOString();
    return { failures: plan?.backoff?.failures ?? 0, retryAt, reason: capacity.problem };
  }
  const placed = new Set(places.map(({ runnerId }) => runnerId));
  const failed = records.filter(
    ({ runnerId, state, job, failure }) =>
      state === 'failed' &&
      !job &&
      failure?.class !== 'interrupted' &&
      placed.has(runnerId) &&
      !keptIds.has(runnerId),
  );
  // Without a failure it only said that the provider could not be asked, which is over.
  const before = plan?.backoff?.failures ? plan.backoff : undefined;
  const reason = failed[0]?.failure;
  if (reason) {
    const failures = (before?.failures ?? 0) + 1;
    const delayMs = backoffMs(failures - 1, backoffPolicy, random);
    const retryAt = new Date(nowMs + delayMs).toISOString();
    return { failures, retryAt, reason: `${reason.class}: ${reason.text}` };
  }
  const works = records.some(
    ({ state, createdAt }) =>
      (state === 'idle' || state === 'busy' || state === 'completed') &&
      before !== undefined &&
      createdAt >= before.retryAt,
  );
  return works ? undefined : before;
}

function toRetire(
  spec: Spec,
  records: readonly Runner[],
  keptIds: ReadonlySet<string>,
  surplusSince: string | undefined,
  surplus: number,
  nowMs: number,
): PlanResult['retire'] {
  const idle = records
    .filter(({ state, runnerId }) => state === 'idle' && keptIds.has(runnerId))
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  const lasting = surplusSince !== undefined && nowMs >= Date.parse(surplusSince) + surplusGraceMs;
  const tooMany = lasting ? idle.slice(0, surplus) : [];
  const outdated = idle
    .slice(tooMany.length)
    .filter(({ generation }) => generation !== spec.generation);
  return [
    ...tooMany.map((runner) => ({ runner, reason: 'surplus' as const })),
    ...outdated.map((runner) => ({ runner, reason: 'rotation' as const })),
  ];
}

function isRecord(view: RunnerView | undefined): boolean {
  return view !== undefined && view !== 'never';
}

/** Fields that are computed anew each time must not survive from the plan before. */
function withoutOptional(plan: Plan | undefined): Partial<Plan> {
  if (!plan) return {};
  const { surplusSince: _since, backoff: _backoff, ...rest } = plan;
  return rest;
}
