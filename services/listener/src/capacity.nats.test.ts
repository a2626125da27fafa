import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';
import { ShiftedClock } from './testing/poll-bench.ts';

describe('the capacity that GitHub is told', () => {
  test('is 0 before there is a plan, and never missing', async () => {
    const { declare, plan, capacities, session, github } = await aManager();
    await declare('linux', { maxRunners: 5 });
    await eventually(async () => expect((await session('linux'))?.held).toBe(true));
    await github.addJobs({ scaleSet: 'linux', count: 3 });

    await plan('linux', { free: 10 });

    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(5));
    expect((await capacities('linux'))[0]).toBe(0);
    expect(await capacities('linux')).not.toContain(null);
  });

  test('never exceeds maxRunners, however many jobs wait and however much room there is', async () => {
    const { declare, plan, capacities, atGitHub, github } = await aManager();
    await declare('linux', { maxRunners: 5 });
    await plan('linux', { free: 40 });
    await eventually(async () => expect((await atGitHub('linux'))?.session?.held).toBe(true));
    await github.addJobs({ scaleSet: 'linux', count: 100 });
    await eventually(async () =>
      expect((await atGitHub('linux'))?.statistics.totalAssignedJobs).toBe(5),
    );

    for (const alive of [['r1'], ['r1', 'r2', 'r3'], ['r1', 'r2', 'r3', 'r4', 'r5', 'r6']]) {
      await plan('linux', { free: 40, alive });
    }

    await eventually(async () => expect((await github.state()).pollsHeld).toBe(1));
    const told = (await capacities('linux')).map((capacity) => capacity ?? Infinity);
    expect(Math.max(...told)).toBe(5);
    expect((await atGitHub('linux'))?.statistics.totalAssignedJobs).toBe(5);
    expect((await github.state()).jobs).toMatchObject({ assigned: 5, queued: 95 });
  });

  test('is the living runners alone when the plan is older than a minute', async () => {
    const clock = new ShiftedClock();
    const { declare, plan, readPlan, session } = await aManager({ clock });
    await declare('linux', { maxRunners: 20 });
    await plan('linux', { free: 10, alive: ['r1', 'r2'] });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(12));

    clock.shift(61_000);
    readPlan('linux');
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(2));
    await plan('linux', {
      free: 3,
      alive: ['r1', 'r2'],
      freeAt: new Date(clock.now()).toISOString(),
    });

    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(5));
  });

  test('when lowered ends the poll that is held: no job beyond it is assigned afterwards', async () => {
    const { declare, plan, session, atGitHub, github } = await aManager();
    await declare('linux', { maxRunners: 10 });
    await plan('linux', { free: 10 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(10));
    const before = await session('linux');

    await plan('linux', { free: 2 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(2));
    await github.addJobs({ scaleSet: 'linux', count: 10 });

    await eventually(async () => {
      expect((await atGitHub('linux'))?.statistics.totalAssignedJobs).toBe(2);
      expect((await atGitHub('linux'))?.messages).toBe(0);
      expect(await session('linux')).toMatchObject({ id: before?.id, heldCapacity: 2 });
    });
    expect((await github.state()).jobs).toMatchObject({ assigned: 2, queued: 8 });
  });

  test('when lowered below what is assigned takes nothing back and assigns nothing more', async () => {
    const { declare, plan, session, atGitHub, github } = await aManager();
    await declare('linux', { maxRunners: 10 });
    await plan('linux', { free: 4 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(4));
    await github.addJobs({ scaleSet: 'linux', count: 10 });
    await eventually(async () => expect((await github.state()).jobs.assigned).toBe(4));

    await plan('linux', { free: 1 });

    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    expect((await atGitHub('linux'))?.statistics.totalAssignedJobs).toBe(4);
    expect((await github.state()).jobs).toMatchObject({ assigned: 4, queued: 6 });
  });

  test('when raised is told at once: jobs that wait are assigned long before the poll would end', async () => {
    const { declare, plan, session, github } = await aManager({ sim: { pollHoldMs: 600_000 } });
    await declare('linux', { maxRunners: 10 });
    await plan('linux', { free: 1 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(1));
    const before = await session('linux');
    await github.addJobs({ scaleSet: 'linux', count: 6 });
    await eventually(async () => expect((await github.state()).jobs.assigned).toBe(1));

    await plan('linux', { free: 4 });

    await eventually(async () => expect((await github.state()).jobs.assigned).toBe(4));
    expect((await session('linux'))?.id).toBe(before?.id);
  });

  test('follows a changed maxRunners within the same session', async () => {
    const { declare, plan, session } = await aManager({ sim: { pollHoldMs: 600_000 } });
    await declare('linux', { maxRunners: 10 });
    await plan('linux', { free: 20 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(10));
    const before = await session('linux');

    await declare('linux', { maxRunners: 3 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(3));
    await declare('linux', { maxRunners: 15 });

    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(15));
    expect((await session('linux'))?.id).toBe(before?.id);
  });
});
