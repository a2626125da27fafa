import type { Plan, Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const quota = { class: 'quota', text: 'maxInstances is reached' };
const demand = aDemand({ assigned: 1 });

function failed(part: Partial<Runner> = {}): Runner {
  return aRunner({ runnerId: 'a', state: 'failed', failure: quota, ...part });
}

describe('a failed runner', () => {
  test('frees its place, and its successor waits', () => {
    const plan = aPlan({ alive: ['a'] });

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [failed()] }));

    expect(result.plan.runners).toEqual([]);
    expect(result.plan.backoff).toEqual({
      failures: 1,
      retryAt: after(750),
      reason: 'quota: maxInstances is reached',
    });
  });

  test('has its successor at once when it was only interrupted', () => {
    const interrupted = failed({ failure: { class: 'interrupted', text: 'its creator ended' } });
    const plan = aPlan({ alive: ['a'] });

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [interrupted] }));

    expect(result.plan).toMatchObject({ runners: [{ runnerId: 'new1' }] });
    expect(result.plan).not.toHaveProperty('backoff');
  });

  test('has its successor at once when it failed while it ran a job', () => {
    const crashed = failed({
      job: { jobId: 'j', startedAt: at },
      failure: { class: 'exited', text: 'the runner ended with code 7' },
      exit: { code: 7, at },
    });
    const plan = aPlan({ alive: ['a'] });

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [crashed] }));

    expect(result.plan).toMatchObject({ runners: [{ runnerId: 'new1' }] });
    expect(result.plan).not.toHaveProperty('backoff');
  });

  test('counts once, however often it is seen', () => {
    const input = aPlanInput({ demand, plan: aPlan({ alive: ['a'] }), runners: [failed()] });

    const first = planScaleSet(input);
    const second = planScaleSet({ ...input, plan: first.plan });

    expect(second.plan.backoff).toEqual(first.plan.backoff);
  });

  test('is among the ended ones until it is marked', () => {
    const plan = aPlan();
    const marked = failed({ runnerId: 'b', state: 'marked' });

    const result = planScaleSet(aPlanInput({ plan, runners: [failed(), marked] }));

    expect(result.ended).toEqual([failed()]);
  });
});

describe('the back-off of a scale set', () => {
  const backoff = { failures: 3, retryAt: after(4_000), reason: 'quota: full' };
  const plan = (part: Partial<Plan> = {}) => aPlan({ backoff, ...part });

  test('grows with the next failure', () => {
    const input = { demand, plan: plan({ alive: ['a'] }), runners: [failed()] };

    const { backoff: grown } = planScaleSet(aPlanInput(input)).plan;

    expect(grown).toMatchObject({ failures: 4, retryAt: after(4_250) });
  });

  test.each([
    { nowMs: startMs + 3_999, named: 0 },
    { nowMs: startMs + 4_000, named: 1 },
  ])('lets $named runners be named at $nowMs', ({ nowMs, named }) => {
    const result = planScaleSet(aPlanInput({ demand, plan: plan(), nowMs }));

    expect(result.plan.runners).toHaveLength(named);
    expect(result.plan.backoff).toEqual(backoff);
  });

  test('asks again for what was named before it began', () => {
    const named = { runnerId: 'a', recorded: false, namedAt: at };
    const input = { demand, plan: plan({ runners: [named] }), without: { a: 'never' as const } };

    expect(planScaleSet(aPlanInput(input)).request).toEqual(['a']);
  });

  test.each([
    { state: 'idle', createdAt: after(4_000), ends: true },
    { state: 'busy', createdAt: after(4_000), ends: true },
    { state: 'completed', createdAt: after(4_000), ends: true },
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

  test('keeps its count of failures while the provider cannot be asked', () => {
    const capacity = { problem: 'gone' };

    const result = planScaleSet(aPlanInput({ demand, plan: plan(), capacity }));

    expect(result.plan.backoff).toEqual({ failures: 3, retryAt: after(5_000), reason: 'gone' });
  });

  test('ends when the provider can be asked again and nothing had failed', () => {
    const unasked = plan({ backoff: { failures: 0, retryAt: after(5_000), reason: 'gone' } });

    const result = planScaleSet(aPlanInput({ demand, plan: unasked }));

    expect(result.plan).not.toHaveProperty('backoff');
    expect(result.plan.runners).toHaveLength(1);
  });
});
