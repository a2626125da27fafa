import type { Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const demand = aDemand({ assigned: 1 });

function failed(part: Partial<Runner> = {}): Runner {
  const failure = { class: 'transient', text: 'no answer' };
  return aRunner({ runnerId: 'a', state: 'failed', failure, ...part });
}

describe('a failed runner', () => {
  test('frees its place, and its successor waits', () => {
    const plan = aPlan({ alive: ['a'] });

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [failed()] }));

    expect(result.plan.runners).toEqual([]);
    expect(result.plan.backoff).toMatchObject({
      failures: 1,
      retryAt: after(750),
      reason: 'transient: no answer',
    });
    expect(result.plan.waiting).toEqual({
      reason: 'back-off',
      missing: 1,
      text: 'transient: no answer',
      until: after(750),
    });
  });

  test.each([
    {
      what: 'it was only interrupted',
      part: { failure: { class: 'interrupted', text: 'its creator ended' } },
    },
    {
      what: 'it failed while it ran a job',
      part: { job: { jobId: 'j', startedAt: at }, exit: { code: 7, at } },
    },
    {
      what: 'it was online and ended',
      part: { onlineAt: at, failure: { class: 'exited', text: 'killed' }, exit: { code: 137, at } },
    },
  ])('has its successor at once when $what', ({ part }) => {
    const plan = aPlan({ alive: ['a'] });

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [failed(part)] }));

    expect(result.plan).toMatchObject({ runners: [{ runnerId: 'new1' }] });
    expect(result.plan.waiting).toBeUndefined();
  });

  test('counts once, however often it is seen', () => {
    const input = aPlanInput({ demand, plan: aPlan({ alive: ['a'] }), runners: [failed()] });

    const first = planScaleSet(input);
    const second = planScaleSet({ ...input, plan: first.plan });

    expect(second.plan.backoff).toEqual(first.plan.backoff);
  });

  test('of an old generation says nothing about the one of now', () => {
    const plan = aPlan({ alive: ['a'] });
    const runners = [failed({ generation: 'g0' })];

    const result = planScaleSet(aPlanInput({ demand, plan, runners }));

    expect(result.plan.backoff).toBeUndefined();
    expect(result.plan.runners).toHaveLength(1);
  });

  test('that was marked for its registration deadline counts, also when nothing is left of it', () => {
    const mark = { reason: 'registration-deadline', gate: 'github', by: 'p', at } as const;
    const marked = aRunner({ runnerId: 'a', state: 'marked', mark });
    const plan = aPlan({ alive: ['a', 'b'] });
    const nowMs = startMs + 1_200_000;

    const result = planScaleSet(
      aPlanInput({ demand, plan, runners: [marked], without: { b: 'deleted' }, nowMs }),
    );

    expect(result.plan.backoff).toMatchObject({ failures: 1, class: 'registration' });
  });

  test('is among the ended ones until it is marked', () => {
    const marked = failed({ runnerId: 'b', state: 'marked' });

    const result = planScaleSet(aPlanInput({ plan: aPlan(), runners: [failed(), marked] }));

    expect(result.ended).toEqual([failed()]);
  });
});
