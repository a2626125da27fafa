import { aDemand, aPlan, aRunner, aSpec, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const five = aDemand({ assigned: 5 });

describe('why runners that are asked for are not made', () => {
  test.each([
    {
      what: 'the scale set is disabled',
      input: { spec: aSpec({ declaration: { enabled: false } }) },
      expected: { reason: 'disabled', missing: 5 },
    },
    {
      what: 'maxRunners is reached',
      input: { spec: aSpec({ declaration: { maxRunners: 3 } }) },
      expected: { reason: 'max-runners', missing: 2 },
    },
    {
      what: 'the provider is full',
      input: { capacity: { free: 1 } },
      expected: { reason: 'no-capacity', missing: 4 },
    },
    {
      what: 'the provider cannot be asked',
      input: { capacity: { problem: 'gone' } },
      expected: { reason: 'provider', missing: 5, text: 'gone' },
    },
  ])('is told when $what', ({ input, expected }) => {
    const { plan } = planScaleSet(aPlanInput({ demand: five, ...input }));

    expect(plan.waiting).toMatchObject(expected);
    expect(plan.runners).toHaveLength(5 - expected.missing);
  });

  test('is told of too many instances that nobody deletes', () => {
    const spec = aSpec({ declaration: { maxRunners: 5 } });
    const runners = Array.from({ length: 17 }, (_, n) =>
      aRunner({ runnerId: `r${n}`, state: 'deleting', instanceId: `i${n}` }),
    );

    const { plan } = planScaleSet(aPlanInput({ spec, demand: five, runners }));

    expect(plan.runners).toHaveLength(3);
    expect(plan.waiting).toMatchObject({ reason: 'undeleted', missing: 2 });
  });

  test('is not told when nothing is missing', () => {
    const quiet = planScaleSet(aPlanInput({ capacity: { problem: 'gone' } }));
    const served = planScaleSet(aPlanInput({ demand: five }));

    expect(quiet.plan.waiting).toBeUndefined();
    expect(served.plan.waiting).toBeUndefined();
  });
});

describe('a provider that cannot be asked', () => {
  const capacity = { problem: 'provider "local" cannot be asked: gone' };
  const look = (ms: number, plan = aPlan()) =>
    planScaleSet(aPlanInput({ plan, capacity, nowMs: startMs + ms }));

  test('is a condition after 15 s, and none when it answers', () => {
    const first = look(0);
    const before = look(14_999, first.plan);
    const then = look(15_000, before.plan);
    const later = look(30_000, then.plan);
    const over = planScaleSet(aPlanInput({ plan: later.plan, nowMs: startMs + 40_000 }));

    expect([first.changes, before.changes, later.changes]).toEqual([[], [], []]);
    expect(then.changes).toMatchObject([{ condition: 'provider-failing' }]);
    expect(later.plan.conditions).toMatchObject([{ since: after(15_000) }]);
    expect(later.plan.problem).toEqual({ since: at, text: capacity.problem });
    expect(over.changes).toEqual([{ condition: 'provider-failing' }]);
    expect(over.plan).toMatchObject({ problem: undefined, conditions: undefined });
  });
});
