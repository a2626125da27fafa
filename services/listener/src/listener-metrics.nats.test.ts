import type { Metrics } from '@baton/shared/telemetry';
import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };

/** All that a histogram measured, in seconds. */
function secondsOf({ sources }: Metrics, name: string): number {
  const source = sources.find((one) => one.name === `baton_${name}`);
  if (source?.kind !== 'histogram') throw new Error(`no histogram ${name}`);
  return [...source.read()].reduce((all, { sum }) => all + sum, 0);
}

describe('what a listener measures', () => {
  test('jobs as GitHub tells of them, and their waits by the times that it gives', async () => {
    const { control, metric, metrics, untilEmpty, scaleSetId } = await aServedSet();
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    const [queueTime, scaleSetAssignTime] = [at(0), at(10)];
    const job = { jobId: 'a', queueTime, scaleSetAssignTime, runnerAssignTime: at(42) };
    const ended = { ...job, messageType: 'JobCompleted' };
    await control.play('linux', {
      entries: [
        { messageType: 'JobAssigned', jobId: 'a', queueTime },
        { ...job, messageType: 'JobStarted', runnerId: 1, runnerName: 'r1' },
        { ...ended, result: 'Succeeded' },
        { ...ended, jobId: 'b', result: 'a word that nobody knows' },
      ],
    });
    await eventually(async () => {
      expect(metric('jobs_total')).not.toEqual({});
      await untilEmpty();
    }, patient);

    expect(metric('jobs_total')).toEqual({
      [`${scaleSetId} assigned`]: 1,
      [`${scaleSetId} started`]: 1,
      [`${scaleSetId} completed succeeded`]: 1,
      [`${scaleSetId} completed other`]: 1,
    });
    expect(metric('job_queue_seconds')).toEqual({ [scaleSetId]: 1 });
    expect(secondsOf(metrics, 'job_queue_seconds')).toBe(42);
    expect(secondsOf(metrics, 'job_startup_seconds')).toBe(32);
    expect(metric('message_to_event_seconds')).toEqual({ '': 1 });
    expect(secondsOf(metrics, 'message_to_event_seconds')).toBeLessThan(10);
  });

  test('what GitHub counts now, until the scale set is given up', async () => {
    const { control, declare, metric, session, scaleSetId } = await aServedSet();
    await control.addJobs({ scaleSet: 'linux', count: 3 });
    await control.registerRunners('linux', ['r1', 'r2']);
    await control.playRunners(['r1', 'r2']);
    const counts = () => [
      metric('assigned_jobs'),
      metric('running_jobs'),
      metric('github_runners'),
    ];
    await eventually(
      () =>
        expect(counts()).toEqual([
          { [scaleSetId]: 3 },
          { [scaleSetId]: 2 },
          {
            [`${scaleSetId} registered`]: 2,
            [`${scaleSetId} busy`]: 2,
            [`${scaleSetId} idle`]: 0,
          },
        ]),
      patient,
    );

    await declare.spec({ enabled: false });
    await eventually(async () => expect(await session()).toBeUndefined(), patient);

    await eventually(() => expect(counts()).toEqual([{}, {}, {}]), patient);
  });

  test('how leases were taken and renewed, and calls to GitHub with what is left of its limit', async () => {
    const { metric } = await aServedSet();

    expect(metric('lease_takeover_seconds')).toEqual({ free: 1 });
    expect(metric('lease_renewals_total')).toMatchObject({ unconfirmed: 0, lost: 0 });
    expect(metric('lease_renewals_total').confirmed).toBeGreaterThan(0);
    expect(metric('github_requests_total')).toMatchObject({ 'createSession ok': 1 });
    expect(metric('github_request_seconds')).toMatchObject({ createSession: 1 });
    expect(metric('github_rate_limit_remaining').github).toBeLessThan(15_000);
    // There was none before.
    expect(metric('session_gap_seconds')).toEqual({});
  });

  test('the gap of a session that GitHub ends', async () => {
    const { control, metric, metrics } = await aServedSet();
    await control.evictSession('linux');

    await eventually(() => expect(metric('session_gap_seconds')).toEqual({ '': 1 }), patient);
    expect(secondsOf(metrics, 'session_gap_seconds')).toBeLessThan(5);
  });

  test('the gap of a session that another listener takes over', async () => {
    const { metric, start, stop, session } = await aServedSet();
    const before = await session();
    const other = await start('listener-1');
    await eventually(() => expect(other.metric('scale_set_state')).not.toEqual({}), patient);
    await stop();

    await eventually(() => expect(other.metric('session_gap_seconds')).toEqual({ '': 1 }), patient);
    expect(other.metric('lease_takeover_seconds')).toEqual({ free: 1 });
    expect(secondsOf(other.metrics, 'session_gap_seconds')).toBeLessThan(5);
    expect((await session())?.id).toBe(before?.id);
    expect(metric('session_gap_seconds')).toEqual({});
  });

  test('nothing any more of a scale set whose declaration is gone', async () => {
    const { control, declare, metric, session } = await aServedSet();
    await control.evictSession('linux');
    const counters = [
      'sessions_opened_total',
      'sessions_replaced_total',
      'lease_takeovers_total',
      'scale_set_state',
      'scale_set_condition',
    ];
    const told = () => counters.filter((name) => Object.keys(metric(name)).length > 0);
    await eventually(() => expect(told()).toEqual(counters), patient);

    await declare.remove();
    await eventually(async () => expect(await session()).toBeUndefined(), patient);

    await eventually(() => expect(told()).toEqual([]), patient);
    expect(metric('lease_renewals_total').confirmed).toBeGreaterThan(0);
  });
});
