import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { defaultWaitingPolicy } from './core/waiting-jobs.ts';
import { aManager } from './testing/manager-bench.ts';

/** Five minutes in production, by statistics that are a minute old at most. */
const waitingPolicy = {
  ...defaultWaitingPolicy,
  notAssignedMs: 1_200,
  maxAgeMs: 800,
  maxAgeWaitingMs: 800,
};
const slow = { timeoutMs: 15_000, everyMs: 50 };

describe('jobs that wait at GitHub while none is assigned', () => {
  test('are told once, by condition, event and status, until one is delivered', async () => {
    const { declare, plan, session, github, conditions, announced, status } = await aManager({
      waitingPolicy,
    });
    await declare('linux');
    await plan('linux', { free: 5 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(5));

    await github.play('linux', { muted: true, statistics: { totalAvailableJobs: 3 } });
    await eventually(
      async () =>
        expect((await conditions('linux'))['jobs-not-assigned']).toContain('run them again'),
      slow,
    );
    const told = await status('linux');
    // Several looks later it is still the same.
    const seen = performance.now();
    await eventually(() => expect(performance.now() - seen).toBeGreaterThan(2_500), slow);

    expect(await announced('jobs-not-assigned')).toEqual(['began']);
    expect((await status('linux'))?.conditions).toEqual(told?.conditions);
    expect((await status('linux'))?.state).toBe('polling');
    await github.addJobs({ scaleSet: 'linux' });
    await github.play('linux', { muted: false });
    await eventually(async () => expect(await conditions('linux')).toEqual({}), slow);
    expect(await announced('jobs-not-assigned')).toEqual(['began', 'ended']);
  });

  test('are no trouble while the scale set has told that it can run nothing', async () => {
    const { declare, plan, session, github, conditions } = await aManager({ waitingPolicy });
    await declare('linux');
    await plan('linux', { free: 0 });
    await eventually(async () => expect((await session('linux'))?.held).toBe(true));
    const seen = performance.now();

    await github.play('linux', { muted: true, statistics: { totalAvailableJobs: 3 } });
    await eventually(() => expect(performance.now() - seen).toBeGreaterThan(4_000), slow);

    expect(await conditions('linux')).toEqual({});
  });

  test('of two scale sets with the same labels only the one that gets nothing is named', async () => {
    const labels = ['shared'];
    const { declare, plan, session, github, conditions } = await aManager({ waitingPolicy });
    await declare('silent', { labels });
    await declare('served', { labels });
    for (const name of ['silent', 'served']) await plan(name, { free: 2 });
    await eventually(async () => {
      expect((await session('silent'))?.heldCapacity).toBe(2);
      expect((await session('served'))?.heldCapacity).toBe(2);
    });

    await github.play('silent', { muted: true, statistics: { totalAvailableJobs: 2 } });
    await github.addJobs({ labels, count: 2 });

    await eventually(
      async () => expect(Object.keys(await conditions('silent'))).toEqual(['jobs-not-assigned']),
      slow,
    );
    expect(await conditions('served')).toEqual({});
  });

  test('of a scale set that is disabled are forgotten', async () => {
    const { declare, plan, session, github, conditions, announced, status } = await aManager({
      waitingPolicy,
    });
    await declare('linux');
    await plan('linux', { free: 5 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(5));
    await github.play('linux', { muted: true, statistics: { totalAvailableJobs: 3 } });
    await eventually(
      async () => expect(Object.keys(await conditions('linux'))).toEqual(['jobs-not-assigned']),
      slow,
    );

    await declare('linux', { enabled: false });

    await eventually(async () =>
      expect(await status('linux')).toMatchObject({ state: 'disabled', conditions: [] }),
    );
    expect(await announced('jobs-not-assigned')).toEqual(['began', 'ended']);
  });
});
