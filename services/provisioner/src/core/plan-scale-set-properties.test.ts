import { type Runner, runnerStates } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, aSpec } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, countingIds, startMs } from '../testing/plan-input.ts';
import type { PlanInput, RunnerView } from './plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const positions = fc.record({
  epoch: fc.integer({ min: 1, max: 3 }),
  seq: fc.integer({ min: 0, max: 9 }),
});
const times = fc.integer({ min: -100_000, max: 0 }).map(after);
const marks = fc.record({
  reason: fc.constantFrom('completed' as const, 'surplus' as const, 'operator' as const),
  gate: fc.constantFrom('none' as const, 'github' as const),
  by: fc.constant('janitor'),
  at: times,
});
const failures = fc.constantFrom('quota', 'interrupted').map((name) => ({ class: name, text: '' }));

const runners = fc
  .record(
    {
      state: fc.constantFrom(...runnerStates),
      generation: fc.constantFrom('g1', 'g0'),
      createdAt: times,
      stateAt: times,
      exit: fc.record({ code: fc.constantFrom(0, 1), at: times }),
      completedIn: positions,
      failure: failures,
      mark: marks,
    },
    { requiredKeys: ['state', 'generation', 'createdAt', 'stateAt'] },
  )
  .map((part): RunnerView => aRunner(part));

const views = fc.array(
  fc.record({
    view: fc.oneof(runners, fc.constantFrom<RunnerView>('never', 'deleted')),
    named: fc.boolean(),
    recorded: fc.boolean(),
  }),
  { maxLength: 12 },
);

/** Any scale set, any records, any plan that names some of them. */
const inputs = fc
  .record({
    views,
    minRunners: fc.integer({ min: 0, max: 3 }),
    maxRunners: fc.integer({ min: 3, max: 9 }),
    enabled: fc.boolean(),
    deleting: fc.boolean(),
    demand: fc.option(
      fc
        .tuple(positions, fc.integer({ min: 0, max: 15 }), times)
        .map(([position, assigned, observedAt]) => aDemand({ ...position, assigned, observedAt })),
      { nil: undefined },
    ),
    surplusSince: fc.option(times, { nil: undefined }),
    free: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ views: known, minRunners, maxRunners, enabled, deleting, ...rest }): PlanInput => {
    const ids = known.map((_, index) => `r${index}`);
    const named = known.flatMap(({ named: isNamed, recorded }, index) =>
      isNamed ? [{ runnerId: `r${index}`, recorded, namedAt: after(0) }] : [],
    );
    const { surplusSince, demand, free } = rest;
    const spec = aSpec({ deleting, declaration: { minRunners, maxRunners, enabled } });
    return {
      ...aPlanInput({ spec, demand, capacity: { free } }),
      plan: aPlan({ runners: named, ...(surplusSince ? { surplusSince } : {}) }),
      runners: new Map(
        known.flatMap(({ view }, index): [string, RunnerView][] => {
          const runnerId = ids[index] ?? '';
          return [[runnerId, typeof view === 'object' ? { ...view, runnerId } : view]];
        }),
      ),
    };
  });

function wantedBy({ spec, demand }: PlanInput): number {
  const { minRunners, maxRunners, enabled } = spec.declaration;
  if (spec.deleting) return Math.min(maxRunners, demand?.assigned ?? 0);
  return enabled ? Math.min(maxRunners, minRunners + (demand?.assigned ?? 0)) : 0;
}

/** How many of the plan's ids are new, and how many there are. */
function count(input: PlanInput) {
  const result = planScaleSet(input);
  const ids = result.plan.runners.map(({ runnerId }) => runnerId);
  const fresh = ids.filter((id) => id.startsWith('new'));
  return { result, ids, fresh };
}

describe('whatever the records say, a plan', () => {
  test('names nobody beyond what is wanted and fits', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const wanted = wantedBy(input);
        const free = 'free' in input.capacity ? input.capacity.free : 0;

        const { ids, fresh } = count(input);

        expect(new Set(ids).size).toBe(ids.length);
        expect(fresh.length).toBeLessThanOrEqual(free);
        if (fresh.length > 0) expect(ids.length).toBeLessThanOrEqual(wanted);
      }),
    );
  });

  test('names all that is wanted when there is room and nothing has failed', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const ample = { ...input, capacity: { free: 1_000 } };
        const wanted = wantedBy(input);

        const { result, ids } = count(ample);

        if (!result.plan.backoff) expect(ids.length).toBeGreaterThanOrEqual(wanted);
      }),
    );
  });

  test('changes nothing when it is made again', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { result, fresh } = count(input);
        const known = new Map(input.runners);
        for (const id of fresh) known.set(id, 'never');
        const capacity = { free: result.plan.free };

        const again = planScaleSet({
          ...input,
          plan: result.plan,
          runners: known,
          capacity,
          newId: countingIds('second'),
        });

        // Ends are counted by the plan that gives their places up.
        expect(again).toEqual({ ...result, ends: [] });
      }),
    );
  });

  test('lets nobody go who has a job or a place', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { result, ids } = count(input);

        for (const { runner } of result.retire) {
          expect(['requested', 'idle']).toContain(runner.state);
        }
        for (const { state, runnerId } of result.ended) {
          expect(['completed', 'failed']).toContain(state);
          expect(ids).not.toContain(runnerId);
        }
      }),
    );
  });

  test('retires no more idle runners than are too many, besides old generations', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { result, ids } = count(input);
        const wanted = wantedBy(input);
        const gone = result.retire.filter(({ reason }) => reason === 'surplus');

        expect(gone.length).toBeLessThanOrEqual(Math.max(0, ids.length - wanted));
      }),
    );
  });

  test('asks for records of exactly those that never had one', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { result } = count(input);
        const isRecorded = (id: string) => typeof input.runners.get(id) === 'object';

        for (const runnerId of result.request) expect(isRecorded(runnerId)).toBe(false);
        for (const { runnerId, recorded } of result.plan.runners) {
          expect(recorded).toBe(isRecorded(runnerId));
        }
      }),
    );
  });
});

describe('a demand from an old epoch', () => {
  test('gives the same plan as no demand at all', () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 0, max: 20 }), (input, assigned) => {
        const applied = { epoch: 9, seq: 0, assigned: 2, observedAt: after(-1_000) };
        const plan = aPlan({ ...input.plan, demand: applied });
        const stale = aDemand({ epoch: 8, seq: 1_000, assigned });

        const withStale = planScaleSet({ ...input, plan, demand: stale, newId: countingIds() });
        const without = planScaleSet({ ...input, plan, demand: undefined, newId: countingIds() });

        expect(withStale).toEqual(without);
      }),
    );
  });
});

describe('a runner in back-off', () => {
  test('is not replaced before its time, and is after it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (dice) => {
        const failure = { class: 'transient', text: 'no answer' };
        const broken: Runner = aRunner({ runnerId: 'a', state: 'failed', failure });
        const plan = aPlan({ alive: ['a'] });
        const demand = aDemand({ assigned: 1 });
        const input = aPlanInput({ demand, plan, runners: [broken], random: () => dice });

        const first = planScaleSet(input);
        const retryMs = Date.parse(first.plan.backoff?.retryAt ?? '');
        const before = planScaleSet({ ...input, plan: first.plan, nowMs: retryMs - 1 });
        const later = planScaleSet({ ...input, plan: first.plan, nowMs: retryMs });

        expect(retryMs).toBeGreaterThanOrEqual(startMs + 500);
        expect(before.plan.runners).toEqual([]);
        expect(later.plan.runners).toHaveLength(1);
      }),
    );
  });
});
