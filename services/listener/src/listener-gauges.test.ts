import { conditionTypes, plannedConditionTypes, type Status } from '@baton/shared/contracts';
import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { type Known, listenerGauges } from './listener-gauges.ts';

const clock = new FakeClock();
const ago = (seconds: number) => new Date(clock.now() - seconds * 1_000).toISOString();

function aStatus(part: Partial<Status> = {}): Status {
  const nothing = { conditions: [], replacedAt: [] };
  const known = { v: 1 as const, scaleSetId: 'linux', owner: 'listener-0', epoch: 3 };
  return { ...known, state: 'polling', since: ago(0), ...nothing, ...part };
}

/** What the gauges say of one scale set: "name{labels}" to value, without the conditions that do not hold. */
function told(known: Partial<Known> = {}): Record<string, number> {
  const scaleSet: Known = {
    current: aStatus(),
    isOurs: true,
    unservedMs: 0,
    pollAgeMs: 0,
    statistics: undefined,
    ...known,
  };
  const values = listenerGauges(new Set([scaleSet]), clock).flatMap(({ name, read }) =>
    [...read()].map(({ value, labels: { scale_set: _same, ...labels } }) => {
      const text = Object.values(labels).join(',');
      return [text ? `${name}{${text}}` : name, value] as const;
    }),
  );
  const shown = values.filter(([name, value]) => value > 0 || !name.includes('_condition{'));
  return Object.fromEntries(shown);
}

describe('listenerGauges', () => {
  test('tell ages, capacity and troubles of a scale set that is polled', () => {
    const text = 'sessions are replaced again and again';
    const current = aStatus({
      openedAt: ago(120),
      lastMessageAt: ago(40),
      capacity: 7,
      conditions: [{ type: 'sessions-replaced', since: ago(5), text }],
    });

    expect(told({ current, unservedMs: 9_000, pollAgeMs: 33_000 })).toEqual({
      'baton_scale_set_state{polling}': 1,
      'baton_scale_set_condition{sessions-replaced}': 1,
      baton_session_age_seconds: 120,
      baton_last_poll_age_seconds: 33,
      baton_last_message_age_seconds: 40,
      baton_advertised_capacity: 7,
      baton_unserved_assigned_age_seconds: 9,
    });
  });

  test('tell what GitHub counts, only while it is polled and ours', () => {
    const statistics = {
      totalAvailableJobs: 0,
      totalAcquiredJobs: 0,
      totalAssignedJobs: 5,
      totalRunningJobs: 3,
      totalRegisteredRunners: 4,
      totalBusyRunners: 3,
      totalIdleRunners: 1,
    };
    const counts = {
      baton_assigned_jobs: 5,
      baton_running_jobs: 3,
      'baton_github_runners{registered}': 4,
      'baton_github_runners{busy}': 3,
      'baton_github_runners{idle}': 1,
    };

    expect(told({ statistics })).toMatchObject(counts);
    const notPolled = told({ statistics, current: aStatus({ state: 'opening' }) });
    const notOurs = told({ statistics, isOurs: false });
    for (const name of Object.keys(counts)) {
      expect(notPolled).not.toHaveProperty([name]);
      expect(notOurs).not.toHaveProperty([name]);
    }
  });

  test('tell how long no poll was answered while there is no session, and no age of one', () => {
    const current = aStatus({ state: 'conflicted', openedAt: ago(500), capacity: 7 });

    expect(told({ current, pollAgeMs: 600_000 })).toEqual({
      'baton_scale_set_state{conflicted}': 1,
      baton_last_poll_age_seconds: 600,
    });
  });

  test('tell nothing but the state of a scale set that another listener works on', () => {
    const current = aStatus({ state: 'waiting', lastMessageAt: ago(9) });

    expect(told({ current, isOurs: false, pollAgeMs: 1 })).toEqual({
      'baton_scale_set_state{waiting}': 1,
    });
  });

  test('tell every condition that listeners set, with 0 for those that do not hold', () => {
    const gauges = listenerGauges(
      new Set([
        { current: aStatus(), isOurs: true, unservedMs: 0, pollAgeMs: 0, statistics: undefined },
      ]),
      clock,
    );
    const conditions = gauges.find(({ name }) => name === 'baton_scale_set_condition');

    const values = [...(conditions?.read() ?? [])];

    const told = values.map(({ labels }) => labels.condition);
    expect(told).toContain('jobs-not-assigned');
    expect(told).toHaveLength(conditionTypes.length - plannedConditionTypes.length);
    expect(new Set([...told, ...plannedConditionTypes])).toEqual(new Set(conditionTypes));
    expect(new Set(values.map(({ value }) => value))).toEqual(new Set([0]));
  });
});
