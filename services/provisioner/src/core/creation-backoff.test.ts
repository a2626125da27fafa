import type { Plan, Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, aSpec, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const transient = { class: 'transient', text: 'no answer' };
const demand = aDemand({ assigned: 1 });

function failed(part: Partial<Runner> = {}): Runner {
  return aRunner({ runnerId: 'a', state: 'failed', failure: transient, ...part });
}

/** So many runners that were named at once and have all failed. */
function aWave(count: number, part: Partial<Runner> = {}): Runner[] {
  return Array.from({ length: count }, (_, n) => failed({ runnerId: `r${n}`, ...part }));
}

function namesOf(runners: readonly Runner[]): string[] {
  return runners.map(({ runnerId }) => runnerId);
}

describe('runners that fail together', () => {
  const spec = aSpec({ declaration: { maxRunners: 50 } });
  const many = aDemand({ assigned: 50 });

  test('are one failure, in however many passes they are found', () => {
    const wave = aWave(50);
    const plan = aPlan({ alive: namesOf(wave) });
    const some = wave.map((runner, n) =>
      n < 20 ? runner : { ...runner, state: 'creating' as const },
    );

    const first = planScaleSet(aPlanInput({ spec, demand: many, plan, runners: some }));
    const second = planScaleSet(
      aPlanInput({ spec, demand: many, plan: first.plan, runners: wave, nowMs: startMs + 400 }),
    );

    expect(first.plan.backoff?.failures).toBe(1);
    expect(second.plan.backoff).toEqual(first.plan.backoff);
    expect(second.plan.runners).toEqual([]);
  });

  test('are all tried again once; then one at a time, until it is online', () => {
    const wave = aWave(50);
    const first = planScaleSet(
      aPlanInput({ spec, demand: many, plan: aPlan({ alive: namesOf(wave) }), runners: wave }),
    );
    const again = planScaleSet(
      aPlanInput({ spec, demand: many, plan: first.plan, nowMs: startMs + 1_000 }),
    );
    const named = again.plan.runners.map(({ runnerId }) => failed({ runnerId }));
    const second = planScaleSet(
      aPlanInput({ spec, demand: many, plan: again.plan, runners: named, nowMs: startMs + 2_000 }),
    );
    const probing = planScaleSet(
      aPlanInput({ spec, demand: many, plan: second.plan, nowMs: startMs + 10_000 }),
    );
    const probe = probing.plan.runners[0]?.runnerId ?? '';
    const createdAt = after(10_000);
    const starting = aRunner({ runnerId: probe, state: 'starting', createdAt });
    const waiting = planScaleSet(
      aPlanInput({
        spec,
        demand: many,
        plan: probing.plan,
        runners: [starting],
        nowMs: startMs + 20_000,
      }),
    );
    const online = planScaleSet(
      aPlanInput({
        spec,
        demand: many,
        plan: probing.plan,
        runners: [{ ...starting, state: 'idle' }],
        nowMs: startMs + 30_000,
      }),
    );

    expect(again.plan.runners).toHaveLength(50);
    expect(second.plan.backoff?.failures).toBe(2);
    expect(probing.plan.runners).toHaveLength(1);
    expect(waiting.plan.runners).toHaveLength(1);
    expect(online.plan.backoff).toBeUndefined();
    expect(online.plan.runners).toHaveLength(50);
  });
});

describe('the back-off of a scale set', () => {
  const backoff = {
    failures: 3,
    retryAt: after(4_000),
    reason: 'transient: no answer',
    class: 'transient',
    specAt: at,
  };
  const plan = (part: Partial<Plan> = {}) => aPlan({ backoff, ...part });

  test('grows when the one that was tried fails', () => {
    const probe = { runnerId: 'a', recorded: true, namedAt: after(4_000) };
    const input = { demand, plan: plan({ runners: [probe] }), runners: [failed()] };

    const { backoff: grown } = planScaleSet(aPlanInput({ ...input, nowMs: startMs + 5_000 })).plan;

    expect(grown).toMatchObject({ failures: 4, retryAt: after(5_000 + 4_250) });
  });

  test.each([
    { nowMs: startMs + 3_999, named: 0 },
    { nowMs: startMs + 4_000, named: 1 },
  ])('lets $named runners be named at $nowMs', ({ nowMs, named }) => {
    const five = aDemand({ assigned: 5 });

    const result = planScaleSet(aPlanInput({ demand: five, plan: plan(), nowMs }));

    expect(result.plan.runners).toHaveLength(named);
    expect(result.plan.backoff).toEqual(backoff);
    expect(result.plan.waiting).toMatchObject({ reason: 'breaker', missing: 5 - named });
  });

  test('is told from the third failure on, and to GitHub as room for one', () => {
    const [open, before] = [3, 2].map(
      (failures) =>
        planScaleSet(aPlanInput({ demand, plan: plan({ backoff: { ...backoff, failures } }) }))
          .plan,
    );

    expect(open?.conditions).toMatchObject([{ type: 'creation-failing', since: at }]);
    expect(open?.conditions?.[0]?.text).toContain('3 times in a row');
    expect(open?.free).toBe(1);
    expect(before?.conditions).toBeUndefined();
    expect(before?.free).toBe(1_000);
  });

  test('asks again for what was named before it began', () => {
    const named = { runnerId: 'a', recorded: false, namedAt: at };
    const input = { demand, plan: plan({ runners: [named] }), without: { a: 'never' as const } };

    expect(planScaleSet(aPlanInput(input)).request).toEqual(['a']);
  });

  test.each([
    { state: 'idle', createdAt: after(4_000), ends: true },
    { state: 'busy', createdAt: after(4_000), ends: true },
    { state: 'completed', createdAt: after(4_000), ends: false },
    { state: 'starting', createdAt: after(4_000), ends: false },
    { state: 'creating', createdAt: after(4_000), ends: false },
    { state: 'busy', createdAt: after(3_999), ends: false },
  ] as const)('ends: $ends, with a $state runner created at $createdAt', (part) => {
    const { state, createdAt, ends } = part;
    const runners = [aRunner({ runnerId: 'b', state, createdAt })];
    const nowMs = startMs + 5_000;

    const result = planScaleSet(
      aPlanInput({ demand, plan: plan({ alive: ['b'] }), runners, nowMs }),
    );

    expect(result.plan.backoff).toEqual(ends ? undefined : backoff);
  });

  test('is forgotten with a changed spec', () => {
    const spec = aSpec({ updatedAt: after(1) });

    const result = planScaleSet(aPlanInput({ spec, demand, plan: plan(), nowMs: startMs + 1 }));

    expect(result.plan.backoff).toBeUndefined();
    expect(result.plan.runners).toHaveLength(1);
  });

  test('stays as it is while the provider cannot be asked', () => {
    const result = planScaleSet(
      aPlanInput({ demand, plan: plan(), capacity: { problem: 'gone' } }),
    );

    expect(result.plan.backoff).toEqual(backoff);
    expect(result.plan.waiting?.reason).toBe('provider');
  });

  test('of an earlier version that only says that nobody could be asked is over', () => {
    const unasked = plan({ backoff: { failures: 0, retryAt: after(5_000), reason: 'gone' } });

    const result = planScaleSet(aPlanInput({ demand, plan: unasked }));

    expect(result.plan.backoff).toBeUndefined();
    expect(result.plan.runners).toHaveLength(1);
  });
});

describe('the class of a failure decides', () => {
  const fail = (name: string) =>
    planScaleSet(
      aPlanInput({
        demand,
        plan: aPlan({ alive: ['a'] }),
        runners: [failed({ failure: { class: name, text: 'why' } })],
      }),
    ).plan;
  const waitMs = ({ backoff }: Plan) => Date.parse(backoff?.retryAt ?? '') - startMs;

  test.each([
    { name: 'transient', atLeastMs: 500, told: false, failures: 1 },
    { name: 'image', atLeastMs: 15_000, told: false, failures: 1 },
    { name: 'denied', atLeastMs: 15_000, told: false, failures: 1 },
    { name: 'invalid-settings', atLeastMs: 20 * 60_000, told: true, failures: 1 },
    { name: 'quota', atLeastMs: 5_000, told: false, failures: 0 },
  ])('$name waits $atLeastMs ms, told at once: $told', ({ name, atLeastMs, told, failures }) => {
    const plan = fail(name);

    expect(waitMs(plan)).toBeGreaterThanOrEqual(atLeastMs);
    expect(plan.backoff?.failures).toBe(failures);
    expect(plan.conditions !== undefined).toBe(told);
  });

  test('quota is over when one could be created', () => {
    const createdAt = after(20_000);
    const runners = [aRunner({ runnerId: 'b', state: 'starting', createdAt })];
    const input = { demand: aDemand({ assigned: 9 }), plan: { ...fail('quota') }, runners };

    const result = planScaleSet(aPlanInput({ ...input, nowMs: startMs + 20_000 }));

    expect(result.plan.backoff).toBeUndefined();
    expect(result.plan.runners).toHaveLength(9);
  });
});
