import type { Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, aSpec, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import type { PlanResult } from './plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const graceMs = 15_000;
const lasting = { surplusSince: at };
const nowMs = startMs + graceMs;

/** Idle runners, named in the order of their age: the first is the oldest. */
function idle(ids: readonly string[], part: Partial<Runner> = {}): Runner[] {
  return ids.map((runnerId, index) =>
    aRunner({ runnerId, state: 'idle', createdAt: after(index - 1_000_000), ...part }),
  );
}

const retired = ({ retire }: PlanResult) =>
  retire.map(({ runner, reason }) => `${runner.runnerId} ${reason}`);

describe('surplus runners', () => {
  test('are noted when they appear, and let live', () => {
    const runners = idle(['a', 'b']);
    const plan = aPlan({ alive: ['a', 'b'] });

    const result = planScaleSet(aPlanInput({ plan, runners, demand: aDemand({ assigned: 1 }) }));

    expect(result.plan.surplusSince).toBe(at);
    expect(result.retire).toEqual([]);
  });

  test.each([
    { nowMs: startMs + graceMs - 1, expected: [] },
    { nowMs: startMs + graceMs, expected: ['a surplus'] },
  ])('are retired when there have been some for 15 s: $expected', ({ nowMs, expected }) => {
    const runners = idle(['a', 'b']);
    const plan = aPlan({ alive: ['a', 'b'], ...lasting });
    const demand = aDemand({ assigned: 1 });

    const result = planScaleSet(aPlanInput({ plan, runners, demand, nowMs }));

    expect(retired(result)).toEqual(expected);
    expect(result.plan.surplusSince).toBe(at);
  });

  test('that nobody has begun to make go before idle ones', () => {
    const waiting = ['c', 'd'].map((runnerId) => aRunner({ runnerId, state: 'requested' }));
    const runners = [
      ...idle(['a', 'b']),
      ...waiting,
      aRunner({ runnerId: 'e', state: 'creating' }),
    ];
    const plan = aPlan({ alive: ['a', 'b', 'c', 'd', 'e'], ...lasting });
    const demand = aDemand({ assigned: 2 });

    const result = planScaleSet(aPlanInput({ plan, runners, demand, nowMs }));

    expect(retired(result).toSorted()).toEqual(['a surplus', 'c surplus', 'd surplus']);
  });

  test('are forgotten when they are wanted again', () => {
    const runners = idle(['a', 'b']);
    const plan = aPlan({ alive: ['a', 'b'], ...lasting });
    const demand = aDemand({ assigned: 2 });

    const result = planScaleSet(aPlanInput({ plan, runners, demand, nowMs }));

    expect(result.plan.surplusSince).toBeUndefined();
    expect(result.retire).toEqual([]);
  });

  test('go oldest first, and only as many as are too many', () => {
    const [a, b, c] = idle(['a', 'b', 'c']);
    const runners = [c, a, b].filter((runner) => runner !== undefined);
    const plan = aPlan({ alive: ['c', 'a', 'b'], ...lasting });
    const demand = aDemand({ assigned: 1 });

    const result = planScaleSet(aPlanInput({ plan, runners, demand, nowMs }));

    expect(retired(result)).toEqual(['a surplus', 'b surplus']);
  });

  test.each(['creating', 'starting', 'busy'] as const)('stay while they are %s', (state) => {
    const runners = idle(['a', 'b'], { state });
    const plan = aPlan({ alive: ['a', 'b'], ...lasting });

    expect(planScaleSet(aPlanInput({ plan, runners, nowMs })).retire).toEqual([]);
  });

  test('are all that is idle when the scale set is disabled', () => {
    const runners = [...idle(['a', 'b']), aRunner({ runnerId: 'c', state: 'busy' })];
    const plan = aPlan({ alive: ['a', 'b', 'c'], ...lasting });
    const spec = aSpec({ declaration: { enabled: false, minRunners: 3 } });
    const demand = aDemand({ assigned: 3 });

    const result = planScaleSet(aPlanInput({ spec, plan, runners, demand, nowMs }));

    expect(retired(result)).toEqual(['a surplus', 'b surplus']);
  });

  test('are the warm ones when the scale set is being deleted', () => {
    const runners = idle(['a']);
    const plan = aPlan({ alive: ['a'], ...lasting });
    const spec = aSpec({ deleting: true, declaration: { minRunners: 1 } });

    const result = planScaleSet(aPlanInput({ spec, plan, runners, nowMs }));

    expect(retired(result)).toEqual(['a surplus']);
  });
});

describe('runners of an old generation', () => {
  const spec = aSpec({ generation: 'g2', declaration: { minRunners: 2 } });
  const plan = aPlan({ alive: ['a', 'b'] });

  test('are rotated out when they are idle', () => {
    const runners = [...idle(['a']), ...idle(['b'], { generation: 'g2' })];

    expect(retired(planScaleSet(aPlanInput({ spec, plan, runners })))).toEqual(['a rotation']);
  });

  test.each([
    { what: 'stay before the next try', failures: 3, inMs: 60_000, expected: [] },
    { what: 'go one at a time when one is tried', failures: 3, inMs: 1, expected: ['a rotation'] },
    { what: 'go after a hiccup', failures: 1, inMs: 1, expected: ['a rotation', 'b rotation'] },
  ])('$what, while new ones fail', ({ failures, inMs, expected }) => {
    const runners = idle(['a', 'b']);
    const backoff = { failures, retryAt: after(inMs), reason: 'x', class: 'transient' };

    const result = planScaleSet(
      aPlanInput({ spec, plan: { ...plan, backoff }, runners, nowMs: startMs + 1 }),
    );

    expect(retired(result)).toEqual(expected);
  });

  test('stay while they are busy', () => {
    const runners = idle(['a', 'b'], { state: 'busy' });

    expect(planScaleSet(aPlanInput({ spec, plan, runners })).retire).toEqual([]);
  });

  test('are retired once, as surplus, when they are that too', () => {
    const runners = idle(['a', 'b']);
    const tooMany = aPlan({ alive: ['a', 'b'], ...lasting });
    const min1 = aSpec({ generation: 'g2', declaration: { minRunners: 1 } });

    const result = planScaleSet(aPlanInput({ spec: min1, plan: tooMany, runners, nowMs }));

    expect(retired(result)).toEqual(['a surplus', 'b rotation']);
  });
});

describe('ended runners', () => {
  const over = { epoch: 1, seq: 5 };
  const demand = aDemand({ ...over });
  const completed = aRunner({ runnerId: 'a', state: 'completed', completedIn: over });

  test('can go when they have exited', () => {
    const exited = { ...completed, exit: { code: 0, at } };

    expect(planScaleSet(aPlanInput({ demand, runners: [exited] })).ended).toEqual([exited]);
  });

  test.each([
    { nowMs: startMs + 30_000, gone: false },
    { nowMs: startMs + 30_001, gone: true },
  ])('have 30 s to exit by themselves: $gone', ({ nowMs, gone }) => {
    const { ended } = planScaleSet(aPlanInput({ demand, runners: [completed], nowMs }));

    expect(ended).toEqual(gone ? [completed] : []);
  });

  test('stay while their place is kept', () => {
    const exited = aRunner({ runnerId: 'a', state: 'completed', exit: { code: 0, at } });
    const plan = aPlan({ alive: ['a'] });

    expect(planScaleSet(aPlanInput({ plan, runners: [exited], demand })).ended).toEqual([]);
  });
});
