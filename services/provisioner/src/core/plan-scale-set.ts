import type { Plan } from '@baton/shared/contracts';
import { nextConditions } from './conditions.ts';
import { isOpen, nextBackoff } from './creation-backoff.ts';
import { askedRunners, latestDemand } from './demand.ts';
import { nextCause } from './demand-cause.ts';
import { findEnds } from './find-ends.ts';
import { nextGhost } from './ghost-brake.ts';
import { countLate } from './late-runners.ts';
import { nextMute } from './mute-watch.ts';
import { allowedByBrakes, type Brakes, countNamed } from './naming-limits.ts';
import { nextOutdated } from './outdated-hold.ts';
import { hasEnded, keepsPlace, lostPlaces, refreshed } from './places.ts';
import {
  isoOf,
  type Place,
  type PlanInput,
  type PlanResult,
  type Situation,
} from './plan-input.ts';
import { findRetired } from './retirement.ts';

/**
 * How many runners a scale set needs, and what follows from it. Pure: the same input gives the same
 * plan, and a plan that was carried out halfway is carried on by planning again.
 *
 * Everything that is remembered lies in the plan, which is written by compare-and-set: what a pass has
 * counted is counted once, by whomever.
 */
export function planScaleSet(input: PlanInput): PlanResult {
  const situation = lookAt(input);
  const { spec, demand, records, runners, kept } = situation;
  const brakes: Brakes = {
    backoff: nextBackoff(situation),
    ghost: nextGhost(situation),
    outdated: nextOutdated(situation),
  };
  const { named, waiting, late } = nameRunners(input, situation, brakes);
  const next = [...kept.map((place) => refreshed(place, runners.get(place.runnerId))), ...named];
  const wanted = Math.min(spec.declaration.maxRunners, askedRunners(spec, demand));
  const tooMany = Math.max(next.length - late - wanted, next.length - spec.declaration.maxRunners);
  const surplusSince = tooMany > 0 ? (input.plan?.surplusSince ?? isoOf(input.nowMs)) : undefined;
  const plan: Plan = {
    ...input.plan,
    ...brakes,
    v: 1,
    scaleSetId: spec.scaleSetId,
    demand,
    runners: next,
    pending: next.filter(({ runnerId }) => isPending(runners.get(runnerId))).length,
    free: freeToTell(input, named.length, brakes),
    freeAt: isoOf(input.nowMs),
    cause: nextCause(input, { named, kept: next.slice(0, kept.length), waiting }),
    surplusSince,
    waiting,
    mute: nextMute(situation),
    problem: nextProblem(input),
  };
  const { conditions, changes } = nextConditions(situation, plan);
  const rotations = allowedByBrakes(brakes, situation) - named.length;
  const keptIds = new Set(kept.map(({ runnerId }) => runnerId));
  return {
    plan: { ...plan, conditions: conditions.length > 0 ? conditions : undefined },
    wanted,
    request: next.filter(({ recorded }) => !recorded).map(({ runnerId }) => runnerId),
    ended: records.filter(
      (runner) => !keptIds.has(runner.runnerId) && hasEnded(runner, input.nowMs),
    ),
    retire: findRetired(situation, { count: tooMany, since: surplusSince, rotations }),
    ends: situation.ends,
    changes,
  };
}

function lookAt(input: PlanInput): Situation {
  const { spec, plan, runners, nowMs, random } = input;
  const demand = latestDemand(input);
  const records = [...runners.values()].filter((view) => typeof view === 'object');
  const places = plan?.runners ?? [];
  const keeps = (place: Place) =>
    keepsPlace(runners.get(place.runnerId) ?? 'never', place, { demand, nowMs });
  const kept = [...places, ...lostPlaces(plan, records)].filter(keeps);
  const left = places.filter((place) => !keeps(place));
  const ends = findEnds(input, left);
  return { spec, plan, demand, records, runners, kept, ends, nowMs, random };
}

function nameRunners(
  { capacity, orphans = 0, newId }: PlanInput,
  situation: Situation,
  brakes: Brakes,
) {
  const { spec, demand, kept, nowMs } = situation;
  const late = countLate(situation);
  const serving = kept.length - late;
  const asked = askedRunners(spec, demand);
  const { count, waiting } = countNamed(situation, {
    ...{ asked, serving, capacity, orphans, brakes },
  });
  const missing = Math.min(spec.declaration.maxRunners, asked) - kept.length;
  const named = Array.from({ length: count }, (_, index): Place => {
    const place = { runnerId: newId(), recorded: false, namedAt: isoOf(nowMs) };
    return index < missing ? place : { ...place, spare: true };
  });
  return { named, waiting, late };
}

/**
 * What GitHub may be told beyond the runners that live. While runners cannot be made it is one: GitHub
 * cancels a job that was assigned and waits for 15 minutes, but keeps those that were not; and with
 * none at all nobody would ever find out that it works again.
 */
function freeToTell({ capacity }: PlanInput, named: number, brakes: Brakes): number {
  const room = 'free' in capacity ? (capacity.told ?? capacity.free) : 0;
  const free = Math.max(0, room - named);
  const stopped = brakes.outdated !== undefined || (brakes.backoff && isOpen(brakes.backoff));
  return stopped ? Math.min(1, free) : free;
}

function nextProblem({ plan, capacity, nowMs }: PlanInput): Plan['problem'] {
  if (!('problem' in capacity)) return undefined;
  return { since: plan?.problem?.since ?? isoOf(nowMs), text: capacity.problem };
}

/** Whether there is, or will be, an instance that the provider does not count yet. */
function isPending(view: ReturnType<PlanInput['runners']['get']>): boolean {
  if (typeof view === 'object') return view.state === 'requested' || view.state === 'creating';
  return view !== 'deleted';
}
