import { type Demand, type Plan, packPlan, planSchema, type Runner } from '@baton/shared/contracts';
import { aDemand, aRunner, aSpec } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, countingIds, startMs } from '../testing/plan-input.ts';
import { causes, traceOf } from './demand-cause.ts';
import type { PlanInput } from './plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const spec = aSpec({ declaration: { maxRunners: 100 } });
const newId = countingIds('runner');

/** A later demand, of a poll of its own. */
function demandOf(seq: number, assigned: number): Demand {
  return aDemand({ seq, assigned, observedAt: after(seq), traceparent: `poll-${seq}` });
}

/** What a pass writes; the records that it would write exist unless the planner dies. */
function plan(before: Plan | undefined, part: Partial<PlanInput>, runners: Runner[] = []): Plan {
  const input = aPlanInput({ spec, plan: before, newId, ...part, runners });
  const all = new Map(input.runners);
  for (const { runnerId } of before?.runners ?? []) {
    if (!all.has(runnerId)) all.set(runnerId, 'never');
  }
  const written = planScaleSet({ ...input, runners: all }).plan;
  return planSchema.parse(JSON.parse(JSON.stringify(packPlan(written))));
}

const causedBy = (after: Plan) =>
  [...causes(after)].map(([runnerId, { traceparent }]) => [runnerId, traceparent]);
const ids = ({ runners }: Plan) => runners.map(({ runnerId }) => runnerId);
const recorded = (one: Plan, state: Runner['state'] = 'starting') =>
  ids(one).map((runnerId) => aRunner({ runnerId, state, createdAt: after(0), stateAt: after(0) }));

describe('nextCause', () => {
  test('runners that a new demand asks for are named for it', () => {
    const first = plan(undefined, { demand: demandOf(1, 2) });

    expect(causedBy(first)).toEqual(ids(first).map((id) => [id, 'poll-1']));
    expect(first.cause).toMatchObject({ observedAt: after(1), named: 2, owed: 0 });
  });

  test('is forgotten when they are recorded', () => {
    const first = plan(undefined, { demand: demandOf(1, 2) });
    const next = plan(first, { demand: demandOf(1, 2) }, recorded(first));

    expect(next.cause).toBeUndefined();
    expect(ids(next)).toEqual(ids(first));
  });

  test('who records what a planner that died had named knows what for, also when messages came', () => {
    const first = plan(undefined, { demand: demandOf(1, 1) });
    const again = plan(first, { demand: demandOf(1, 1), nowMs: startMs + 5_000 });
    const later = plan(again, { demand: demandOf(2, 1), nowMs: startMs + 6_000 });

    expect(causedBy(again)).toEqual([[ids(first)[0], 'poll-1']]);
    expect(causedBy(later)).toEqual([[ids(first)[0], 'poll-1']]);
  });

  test('warm runners are named for no demand', () => {
    const warm = aSpec({ declaration: { minRunners: 2, maxRunners: 9 } });

    const before = plan(undefined, { spec: warm });
    const told = plan(undefined, { spec: warm, demand: demandOf(1, 0) });

    expect([before, told].map((one) => [one.runners.length, one.cause])).toEqual([
      [2, undefined],
      [2, undefined],
    ]);
  });

  test('a runner that replaces one is named for no demand', () => {
    const first = plan(undefined, { demand: demandOf(1, 1) });
    const failure = { class: 'interrupted', text: 'its creator ended' };
    const failed = recorded(first).map((runner) => ({
      ...runner,
      state: 'failed' as const,
      failure,
    }));
    const next = plan(first, { demand: demandOf(1, 1), nowMs: startMs + 1_000 }, failed);

    expect(next.runners).toHaveLength(1);
    expect(ids(next)).not.toEqual(ids(first));
    expect(next.cause).toBeUndefined();
  });

  test('a demand that nobody could be named for at first is served later, and knows it', () => {
    const held = plan(undefined, { demand: demandOf(1, 2), orphans: 'unknown' });
    const next = plan(held, { demand: demandOf(1, 2), nowMs: startMs + 500 });

    expect(held.cause).toMatchObject({ named: 0, owed: 2 });
    expect(next.cause).toMatchObject({ named: 2, owed: 0, observedAt: after(1) });
    expect(causedBy(next)).toEqual(ids(next).map((id) => [id, 'poll-1']));
  });

  test('what waits goes on being the matter of its demand until a later one asks for more', () => {
    const capacity = { free: 0 };
    const held = plan(undefined, { demand: demandOf(1, 2), capacity });
    const same = plan(held, { demand: demandOf(2, 2), capacity });
    const more = plan(same, { demand: demandOf(3, 3), capacity });

    expect([held, same, more].map(({ cause }) => [cause?.traceparent, cause?.owed])).toEqual([
      ['poll-1', 2],
      ['poll-1', 2],
      ['poll-3', 3],
    ]);
  });

  test('a plan that waits is the same in every pass', () => {
    const capacity = { free: 0 };
    const held = plan(undefined, { demand: demandOf(1, 2), capacity });
    const again = plan(held, { demand: demandOf(1, 2), capacity, nowMs: startMs + 5_000 });

    expect(again.cause).toEqual(held.cause);
  });

  test('one demand never names more than it asks for, however often and by whomever it is applied', () => {
    const step = fc.record({
      assigned: fc.integer({ min: 0, max: 30 }),
      isNew: fc.boolean(),
      free: fc.integer({ min: 0, max: 20 }),
      died: fc.boolean(),
    });

    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
        for (const { before, now, demand, isNew } of passes(steps)) {
          const known = new Set(before ? ids(before) : []);
          const named = ids(now).filter((id) => !known.has(id)).length;
          const because = [...causes(now).values()];

          expect(now.cause?.owed ?? 0).toBeLessThanOrEqual(now.waiting?.missing ?? 0);
          expect(because.length).toBeLessThanOrEqual(now.cause?.named ?? 0);
          expect(because.every(({ observedAt }) => observedAt <= demand.observedAt)).toBe(true);
          if (isNew && named > 0 && !before?.cause) expect(because).toHaveLength(named);
        }
      }),
      { numRuns: 300 },
    );
  });
});

interface Pass {
  assigned: number;
  isNew: boolean;
  free: number;
  /** Who made the plan before ended before it had recorded anybody. */
  died: boolean;
}

/** A pass a second, each over what the one before has written. */
function passes(steps: readonly Pass[]) {
  let before: Plan | undefined;
  let demand = demandOf(0, 0);
  return steps.map(({ assigned, isNew, free, died }, index) => {
    if (isNew) demand = demandOf(index + 1, assigned);
    const known = before;
    const runners = known && !died ? recorded(known) : [];
    const pass = { demand, capacity: { free }, nowMs: startMs + index * 1_000 };
    const now = plan(known, pass, runners);
    before = now;
    return { before: known, now, demand, isNew };
  });
}

describe('traceOf', () => {
  const cause = (named: number, traceparent?: string) => ({
    ...{ observedAt: after(0), since: after(0), until: after(0), owed: 0, named, traceparent },
  });
  const mint = (parent?: string) => (parent === undefined ? 'a new trace' : `child of ${parent}`);
  const mintNothing = (parent?: string) => parent;

  test.each<[string, Parameters<typeof traceOf>[0], ReturnType<typeof traceOf>]>([
    ['the poll of one', cause(1, 'p'), { traceparent: 'child of p', tracedFrom: 'p' }],
    ['the poll of ten', cause(10, 'p'), { traceparent: 'child of p', tracedFrom: 'p' }],
    ['its own, from eleven on', cause(11, 'p'), { traceparent: 'a new trace', tracedFrom: 'p' }],
    ['its own, where the poll has none', cause(1), { traceparent: 'a new trace' }],
    ['its own, without a demand', undefined, { traceparent: 'a new trace' }],
  ])('is %s', (_what, because, expected) => {
    expect(traceOf(because, mint)).toEqual(expected);
  });

  test.each<[string, Parameters<typeof traceOf>[0], ReturnType<typeof traceOf>]>([
    ['the poll itself', cause(1, 'p'), { traceparent: 'p', tracedFrom: 'p' }],
    ['nothing for more than ten', cause(11, 'p'), {}],
    ['nothing where nobody traces', cause(1), {}],
    ['nothing without a demand', undefined, {}],
  ])('where no spans are made it is %s', (_what, because, expected) => {
    expect(traceOf(because, mintNothing)).toStrictEqual(expected);
  });
});
