import type { Demand, Plan, Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const bootMs = 1_200_000;
const stale = { assigned: 3, busy: 3, registered: 0 };

function look(
  ms: number,
  demand: Partial<Demand>,
  { plan = aPlan(), runners = [] }: { plan?: Plan; runners?: Runner[] } = {},
) {
  const nowMs = startMs + ms;
  return planScaleSet(
    aPlanInput({ demand: aDemand(demand), plan, runners, nowMs, capacity: { free: 0 } }),
  );
}

describe('a scale set whose jobs GitHub counts without any runner', () => {
  test('is told as mute after the boot timeout, once', () => {
    const first = look(0, stale);
    const before = look(bootMs - 1, stale, { plan: first.plan });
    const then = look(bootMs, stale, { plan: before.plan });
    const later = look(bootMs + 60_000, stale, { plan: then.plan });

    expect(first.plan.mute).toEqual({ since: at });
    expect(before.changes).toEqual([]);
    expect(then.changes).toMatchObject([{ condition: 'mute' }]);
    expect(then.plan.conditions?.[0]?.text).toContain('baton delete scaleset linux');
    expect(later.changes).toEqual([]);
    expect(later.plan.conditions).toEqual(then.plan.conditions);
  });

  test.each([
    { what: 'a message came', part: { messageAt: after(bootMs + 1) } },
    { what: 'GitHub counts a runner', part: { registered: 1 } },
    { what: 'no job is assigned', part: { assigned: 0 } },
  ])('is not told any more when $what', ({ part }) => {
    const told = look(bootMs, stale, { plan: look(0, stale).plan });

    const cleared = look(bootMs + 2, { ...stale, seq: 1, ...part }, { plan: told.plan });

    expect(cleared.changes).toEqual([{ condition: 'mute' }]);
  });

  test('is mute too when one of ours is online and GitHub counts none', () => {
    const runners = [aRunner({ runnerId: 'a', state: 'idle' })];
    const plan = aPlan({ alive: ['a'] });

    expect(look(0, { assigned: 1, registered: 0 }, { plan, runners }).plan.mute).toBeDefined();
  });

  test.each([
    {
      what: 'its runners are on the way',
      state: 'starting',
      demand: { assigned: 3, registered: 0 },
    },
    { what: 'one has a job', state: 'busy', demand: stale },
    { what: 'nothing is known of runners', state: 'idle', demand: { assigned: 3 } },
  ] as const)('is not mute when $what', ({ state, demand }) => {
    const runners = [aRunner({ runnerId: 'a', state })];
    const plan = aPlan({ alive: ['a'] });

    expect(look(0, demand, { plan, runners }).plan.mute).toBeUndefined();
  });
});
