import type { Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, aSpec, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import type { PlanResult, RunnerView } from './plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const mark = { gate: 'none', by: 'janitor', at } as const;
const namesOf = ({ plan }: PlanResult) => plan.runners.map(({ runnerId }) => runnerId);

describe('planScaleSet', () => {
  test.each([
    { what: 'none when nothing is asked for', set: {}, assigned: 0, wanted: 0 },
    { what: 'one for each assigned job', set: {}, assigned: 3, wanted: 3 },
    { what: 'the minimum without jobs', set: { minRunners: 2 }, assigned: 0, wanted: 2 },
    { what: 'jobs on top of the minimum', set: { minRunners: 2 }, assigned: 3, wanted: 5 },
    { what: 'never more than the maximum', set: { minRunners: 2 }, assigned: 30, wanted: 10 },
    { what: 'none when it is disabled', set: { minRunners: 2, enabled: false }, assigned: 3 },
    { what: 'none with a maximum of 0', set: { maxRunners: 0 }, assigned: 3, wanted: 0 },
  ])('names $what', ({ set, assigned, wanted = 0 }) => {
    const spec = aSpec({ declaration: set });

    const result = planScaleSet(aPlanInput({ spec, demand: aDemand({ assigned }) }));

    expect(result.plan.runners).toHaveLength(wanted);
    expect(result.request).toEqual(namesOf(result));
  });

  test.each([{ enabled: true }, { enabled: false }])(
    'serves the jobs and not the minimum of a scale set that is being deleted, enabled: $enabled',
    ({ enabled }) => {
      const spec = aSpec({ deleting: true, declaration: { enabled, minRunners: 4 } });

      const result = planScaleSet(aPlanInput({ spec, demand: aDemand({ assigned: 1 }) }));

      expect(result.plan.runners).toHaveLength(1);
    },
  );

  test('names no more than fit, and says what is left', () => {
    const demand = aDemand({ assigned: 5 });

    const scarce = planScaleSet(aPlanInput({ demand, capacity: { free: 2 } }));
    const ample = planScaleSet(aPlanInput({ demand, capacity: { free: 7 } }));

    expect(scarce.plan).toMatchObject({ runners: [{}, {}], free: 0, freeAt: at });
    expect(ample.plan).toMatchObject({ runners: [{}, {}, {}, {}, {}], free: 2 });
  });

  test('names nobody and says why while the provider cannot be asked', () => {
    const capacity = { problem: 'provider "local" cannot be asked: gone' };

    const { plan } = planScaleSet(aPlanInput({ demand: aDemand({ assigned: 1 }), capacity }));

    expect(plan.runners).toEqual([]);
    expect(plan.free).toBe(0);
    expect(plan.waiting).toEqual({ reason: 'provider', missing: 1, text: capacity.problem });
    expect(plan.problem).toEqual({ since: at, text: capacity.problem });
  });

  test('names only what is missing', () => {
    const runners = [aRunner({ runnerId: 'a', state: 'busy' })];
    const demand = aDemand({ assigned: 2 });

    const result = planScaleSet(aPlanInput({ demand, runners, plan: aPlan({ alive: ['a'] }) }));

    expect(namesOf(result)).toEqual(['a', 'new1']);
    expect(result.request).toEqual(['new1']);
  });

  test('keeps a surplus that is busy and names nobody', () => {
    const runners = ['a', 'b', 'c'].map((runnerId) => aRunner({ runnerId, state: 'busy' }));
    const plan = aPlan({ alive: ['a', 'b', 'c'] });

    const result = planScaleSet(aPlanInput({ runners, plan, demand: aDemand({ assigned: 1 }) }));

    expect(namesOf(result)).toEqual(['a', 'b', 'c']);
    expect(result.retire).toEqual([]);
  });
});

describe('the demand of a plan', () => {
  const applied = { epoch: 7, seq: 4, assigned: 1, observedAt: at };
  const plan = aPlan({ alive: ['a'], demand: applied });
  const runners = [aRunner({ runnerId: 'a', state: 'busy' })];

  test.each([
    { what: 'an old epoch', demand: aDemand({ epoch: 6, seq: 99, assigned: 9 }) },
    { what: 'an earlier message', demand: aDemand({ epoch: 7, seq: 3, assigned: 9 }) },
    { what: 'the same message', demand: aDemand(applied) },
    { what: 'nobody', demand: undefined },
  ])('is not changed by one from $what', ({ demand }) => {
    const result = planScaleSet(aPlanInput({ plan, runners, demand }));

    expect(result.plan.demand).toEqual(applied);
    expect(namesOf(result)).toEqual(['a']);
  });

  test.each([
    { what: 'a later message', demand: aDemand({ epoch: 7, seq: 5, assigned: 3 }) },
    { what: 'a later epoch', demand: aDemand({ epoch: 8, seq: 0, assigned: 3 }) },
  ])('is replaced by one from $what', ({ demand }) => {
    const result = planScaleSet(aPlanInput({ plan, runners, demand }));

    expect(result.plan.demand).toEqual(demand);
    expect(result.plan.runners).toHaveLength(3);
  });
});

/** What becomes of the place of runner `a` when one job is assigned. */
function placeOf(view: RunnerView, input: { demand?: object; nowMs?: number } = {}) {
  const demand = aDemand({ epoch: 1, seq: 5, assigned: 1, ...input.demand });
  const found = typeof view === 'object' ? { runners: [view] } : { without: { a: view } };
  const plan = aPlan({ alive: ['a'] });
  return planScaleSet(aPlanInput({ ...found, plan, demand, nowMs: input.nowMs ?? startMs }));
}

function aView(part: Partial<Runner>): Runner {
  return aRunner({ runnerId: 'a', ...part });
}

describe('a place in the plan', () => {
  const exitedWell = aView({ state: 'completed', exit: { code: 0, at } });
  const knownAs = (seq: number) => ({ completedIn: { epoch: 1, seq } });

  test.each([
    { what: 'is requested', view: aView({ state: 'requested' }) },
    { what: 'is creating', view: aView({ state: 'creating' }) },
    { what: 'is starting', view: aView({ state: 'starting' }) },
    { what: 'is idle', view: aView({ state: 'idle' }) },
    { what: 'is busy', view: aView({ state: 'busy' }) },
    { what: 'exited with 0 just now', view: exitedWell },
    {
      what: 'exited with 0 and whose job is over only in a later demand',
      view: { ...exitedWell, ...knownAs(6) },
    },
    {
      what: 'exited with 0, is marked for that, and whose job is over only in a later demand',
      view: { ...exitedWell, state: 'marked' as const, mark: { ...mark, reason: 'completed' } },
    },
    {
      what: 'has completed, still runs, and whose job is over only in a later demand',
      view: aView({ state: 'completed', ...knownAs(6) }),
    },
  ] as const)('is kept for a runner that $what', ({ view }) => {
    expect(namesOf(placeOf(view))).toEqual(['a']);
  });

  test.each([
    { what: 'failed', view: aView({ state: 'failed', job: { jobId: 'j', startedAt: at } }) },
    { what: 'is lost', view: aView({ state: 'lost', job: { jobId: 'j', startedAt: at } }) },
    { what: 'was deleted', view: 'deleted' },
    {
      what: 'crashed before GitHub refused to let it go',
      view: aView({ state: 'busy', exit: { code: 1, at } }),
    },
    { what: 'had a record that is gone without trace', view: 'never' },
    {
      what: 'exited with 0 and whose completion is known',
      view: { ...exitedWell, ...knownAs(5) },
    },
    {
      what: 'still runs after a known completion',
      view: aView({ state: 'completed', ...knownAs(4) }),
    },
    {
      what: 'was completed in an old epoch',
      view: aView({ state: 'completed', completedIn: { epoch: 0, seq: 99 } }),
    },
    {
      what: 'failed and is marked for that',
      view: aView({ state: 'marked', mark: { ...mark, reason: 'create-failed' } }),
    },
    {
      what: 'is marked by the operator',
      view: aView({ state: 'marked', mark: { ...mark, reason: 'operator' } }),
    },
    {
      what: 'is being deleted as surplus',
      view: aView({ state: 'deleting', mark: { ...mark, reason: 'surplus' } }),
    },
  ] as const)('is given to another at once when its runner $what', ({ view }) => {
    expect(namesOf(placeOf(view))).toEqual(['new1']);
  });

  test.each([
    { observedMs: -1_000, kept: true },
    { observedMs: 2_000, kept: true },
    { observedMs: 2_001, kept: false },
  ])(
    'of a runner that exited with 0 is kept: $kept, after a demand seen $observedMs ms later',
    ({ observedMs, kept }) => {
      const demand = { observedAt: after(observedMs) };

      const result = placeOf(exitedWell, { demand, nowMs: startMs + 3_000 });

      expect(namesOf(result)).toEqual([kept ? 'a' : 'new1']);
    },
  );

  test('of a runner whose job is known is kept after any demand that does not know its end', () => {
    const view = { ...exitedWell, job: { jobId: 'j', startedAt: at } };
    const demand = { observedAt: after(30_000) };

    const result = placeOf(view, { demand, nowMs: startMs + 30_000 });

    expect(namesOf(result)).toEqual(['a']);
    expect(result.ended).toEqual([]);
  });

  test.each([
    { what: 'nothing else is known', view: exitedWell },
    { what: 'only its job is known', view: { ...exitedWell, job: { jobId: 'j', startedAt: at } } },
    {
      what: 'the demand that knows of its completion never came',
      view: { ...exitedWell, ...knownAs(6) },
    },
  ])('is kept for 60 s after the exit with 0 when $what', ({ view }) => {
    const before = placeOf(view, { nowMs: startMs + 59_999 });
    const later = placeOf(view, { nowMs: startMs + 60_000 });

    expect(namesOf(before)).toEqual(['a']);
    expect(before.ended).toEqual([]);
    expect(namesOf(later)).toEqual(['new1']);
    expect(later.ended).toEqual([view]);
  });

  test('is kept for a runner that was named and has no record yet, which is requested again', () => {
    const plan = aPlan({ runners: [{ runnerId: 'a', recorded: false, namedAt: at }] });
    const demand = aDemand({ assigned: 1 });

    const result = planScaleSet(aPlanInput({ plan, demand, without: { a: 'never' } }));

    expect(result).toMatchObject({ plan: { runners: plan.runners }, request: ['a'] });
  });

  test('is known to have a record once there is one', () => {
    const plan = aPlan({ runners: [{ runnerId: 'a', recorded: false, namedAt: at }] });
    const runners = [aRunner({ runnerId: 'a' })];

    const result = planScaleSet(aPlanInput({ plan, runners, demand: aDemand({ assigned: 1 }) }));

    expect(result.plan.runners).toEqual([{ runnerId: 'a', recorded: true, namedAt: at }]);
    expect(result.request).toEqual([]);
  });

  test('of an id that was deleted before it was known as recorded is not requested again', () => {
    const plan = aPlan({ runners: [{ runnerId: 'a', recorded: false, namedAt: at }] });
    const demand = aDemand({ assigned: 1 });

    const result = planScaleSet(aPlanInput({ plan, demand, without: { a: 'deleted' } }));

    expect(result.request).toEqual(['new1']);
  });

  test.each(['requested', 'creating', 'starting', 'idle', 'busy'] as const)(
    'is given back to a runner that is %s and that the plan does not name',
    (state) => {
      const runners = [aRunner({ runnerId: 'a', state })];

      const result = planScaleSet(aPlanInput({ runners, demand: aDemand({ assigned: 1 }) }));

      expect(result.plan.runners).toMatchObject([{ runnerId: 'a', recorded: true, namedAt: at }]);
      expect(result.request).toEqual([]);
    },
  );
});
