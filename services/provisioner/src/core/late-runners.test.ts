import type { Plan, Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, aSpec } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const lateMs = 240_000;
const nowMs = startMs + lateMs + 1;
const demand = aDemand({ assigned: 1 });
const slow = aRunner({ runnerId: 'slow', state: 'starting' });
const plan = aPlan({ alive: ['slow'] });

const spares = ({ runners }: Plan) =>
  runners.filter(({ spare }) => spare).map(({ runnerId }) => runnerId);

/** The plan after a spare was given, and the spare in this state. */
function withSpare(spare: Partial<Runner>, late: Runner = slow, later = 0) {
  const given = planScaleSet(aPlanInput({ demand, plan, runners: [slow], nowMs }));
  const createdAt = after(lateMs + 1);
  const record = aRunner({ runnerId: 'new1', createdAt, stateAt: createdAt, ...spare });
  return planScaleSet(
    aPlanInput({ demand, plan: given.plan, runners: [late, record], nowMs: nowMs + later }),
  );
}

describe('a runner that is long in coming online', () => {
  test.each([
    { what: 'is not late yet', input: { nowMs: nowMs - 1 }, expected: [] },
    { what: 'is late', input: {}, expected: ['new1'] },
    {
      what: 'is late by what the scale set declares',
      input: { nowMs: startMs + 10_001, spec: aSpec({ declaration: { spareAfterSeconds: 10 } }) },
      expected: ['new1'],
    },
    { what: 'is late while no job waits', input: { demand: aDemand() }, expected: [] },
    {
      what: 'is late at maxRunners',
      input: { spec: aSpec({ declaration: { maxRunners: 1 } }) },
      expected: [],
    },
    { what: 'is late in a full provider', input: { capacity: { free: 0 } }, expected: [] },
  ])('that $what is given $expected', ({ input, expected }) => {
    const result = planScaleSet(aPlanInput({ demand, plan, runners: [slow], nowMs, ...input }));

    expect(spares(result.plan)).toEqual(expected);
    expect(result.retire).toEqual([]);
  });

  test('is given one spare, however long both take', () => {
    const { plan: later } = withSpare({ state: 'starting' }, slow, 5 * lateMs);

    expect(later.runners).toHaveLength(2);
  });

  test('is not given another when its spare waits for the job', () => {
    const { plan: later, retire } = withSpare({ state: 'idle' }, slow, 60_000);

    expect(later.runners).toHaveLength(2);
    expect(later.surplusSince).toBeUndefined();
    expect(retire).toEqual([]);
  });

  test('is retired as surplus when it comes after all and its spare has the job', () => {
    const busy = { state: 'busy', job: { jobId: 'j', startedAt: after(lateMs) } } as const;
    const late = { ...slow, state: 'idle' as const };
    const there = withSpare(busy, late);
    const records = [late, aRunner({ runnerId: 'new1', ...busy })];

    const later = planScaleSet(
      aPlanInput({ demand, plan: there.plan, runners: records, nowMs: nowMs + 15_000 }),
    );

    expect(there.retire).toEqual([]);
    expect(later.retire.map(({ runner }) => runner.runnerId)).toEqual(['slow']);
  });

  test('among others is given a spare only for the jobs that nobody online can take', () => {
    const runners = [
      slow,
      aRunner({ runnerId: 'slow2', state: 'creating' }),
      aRunner({ runnerId: 'idle', state: 'idle' }),
    ];
    const three = aPlan({ alive: ['slow', 'slow2', 'idle'] });

    const result = planScaleSet(
      aPlanInput({ demand: aDemand({ assigned: 2 }), plan: three, runners, nowMs }),
    );

    expect(result.plan.runners).toHaveLength(3);
  });
});
