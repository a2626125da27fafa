import type { Runner } from '@baton/shared/contracts';
import { aDemand, aPlan, aRunner, aSpec, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const minute = 60_000;
const demand = aDemand({ assigned: 5 });

function exited(part: Partial<Runner> = {}): Runner {
  const failure = { class: 'exited', text: 'the runner ended with code 7' };
  return aRunner({ runnerId: 'a', state: 'failed', exit: { code: 7, at }, failure, ...part });
}

/** The plan after five runners have exited with 7. */
function held() {
  const runners = ['a', 'b', 'c', 'd', 'e'].map((runnerId) => exited({ runnerId }));
  const plan = aPlan({ alive: ['a', 'b', 'c', 'd', 'e'] });
  return planScaleSet(aPlanInput({ demand, plan, runners }));
}

describe('runners that exit with 7', () => {
  test('stop creation for their generation, and are no failures', () => {
    const { plan, changes } = held();

    expect(plan.runners).toEqual([]);
    expect(plan.backoff).toBeUndefined();
    expect(plan.outdated).toEqual({
      generation: 'g1',
      since: at,
      retryAt: after(minute),
      tried: 0,
    });
    expect(plan.waiting).toMatchObject({ reason: 'outdated', missing: 5 });
    expect(changes).toMatchObject([{ condition: 'runner-outdated' }]);
  });

  test('leave those that live where they are, and room for one job', () => {
    const busy = aRunner({ runnerId: 'busy', state: 'busy' });
    const old = aRunner({ runnerId: 'old', state: 'idle', generation: 'g0' });
    const plan = aPlan({ alive: ['a', 'busy', 'old'] });

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [exited(), busy, old] }));

    expect(result.plan.runners.map(({ runnerId }) => runnerId)).toEqual(['busy', 'old']);
    expect(result.retire).toEqual([]);
    expect(result.plan.free).toBe(1);
  });

  test('are tried again with one after a minute, and after twice as long when it exits too', () => {
    const nowMs = startMs + minute;
    const before = planScaleSet(aPlanInput({ demand, plan: held().plan, nowMs: nowMs - 1 }));
    const probing = planScaleSet(aPlanInput({ demand, plan: before.plan, nowMs }));
    const probe = exited({ runnerId: 'new1', exit: { code: 7, at: after(2 * minute) } });
    const again = planScaleSet(
      aPlanInput({ demand, plan: probing.plan, runners: [probe], nowMs: nowMs + minute }),
    );

    expect(before.plan.runners).toEqual([]);
    expect(probing.plan.runners).toHaveLength(1);
    expect(again.plan.runners).toEqual([]);
    expect(again.plan.outdated).toMatchObject({ since: at, retryAt: after(4 * minute), tried: 1 });
    expect(again.changes).toEqual([]);
  });

  test('are tried every half hour in the end', () => {
    const nowMs = startMs + 90 * minute;
    const probe = exited({ runnerId: 'late', exit: { code: 7, at: after(90 * minute) } });
    const outdated = { generation: 'g1', since: at, retryAt: after(89 * minute), tried: 7 };
    const [place] = aPlan({ alive: ['late'] }).runners;
    const runners = place ? [{ ...place, namedAt: after(89 * minute) }] : [];

    const { plan } = planScaleSet(
      aPlanInput({ demand, plan: { ...aPlan({}), runners, outdated }, runners: [probe], nowMs }),
    );

    expect(plan.outdated).toMatchObject({ retryAt: after(120 * minute), tried: 8 });
  });

  test('are forgotten when the one that is tried comes online', () => {
    const nowMs = startMs + 2 * minute;
    const createdAt = after(minute);
    const online = aRunner({ runnerId: 'new1', state: 'idle', createdAt });
    const plan = { ...held().plan, runners: aPlan({ alive: ['new1'] }).runners };

    const result = planScaleSet(aPlanInput({ demand, plan, runners: [online], nowMs }));

    expect(result.plan.outdated).toBeUndefined();
    expect(result.plan.runners).toHaveLength(5);
    expect(result.changes).toEqual([{ condition: 'runner-outdated' }]);
  });

  test('are forgotten at once with a changed generation', () => {
    const spec = aSpec({ generation: 'g2' });

    const result = planScaleSet(aPlanInput({ spec, demand, plan: held().plan }));

    expect(result.plan.runners).toHaveLength(5);
    expect(result.plan.outdated).toBeUndefined();
  });

  test('in the middle of a job say nothing about the program', () => {
    const runners = [exited({ job: { jobId: 'j', startedAt: at } })];

    const result = planScaleSet(aPlanInput({ demand, plan: aPlan({ alive: ['a'] }), runners }));

    expect(result.plan.outdated).toBeUndefined();
  });
});
