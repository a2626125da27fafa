import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { defaultWaitingPolicy } from './core/waiting-jobs.ts';
import { aManager } from './testing/manager-bench.ts';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };

/** An Enterprise Server that offers whatever waits to a scale set of three runners. */
async function aGenerousServer() {
  const set = await aServedSet({
    dialect: 'ghes',
    capacityHeeded: false,
    declaration: { maxRunners: 3 },
  });
  const { control } = set;
  return {
    ...set,
    /** Resolves when so many jobs are acquired, and all that was offered has been read. */
    untilAcquired: async (count: number) => {
      await eventually(async () => {
        expect((await control.books()).jobs.assigned).toBe(count);
        expect((await set.set())?.messages).toBe(0);
      }, patient);
    },
  };
}

describe('more jobs than could run', () => {
  test('are never acquired, and each has its turn when another is over', async () => {
    const { control, untilAcquired } = await aGenerousServer();
    const left = new Set(await control.addJobs({ scaleSet: 'linux', count: 10 }));
    await untilAcquired(3);

    while (left.size > 0) {
      const acquired = (await control.jobs()).filter(({ status }) => status === 'assigned');
      expect(acquired.length).toBeLessThanOrEqual(3);
      const over = acquired.slice(0, 2);
      expect(over).not.toEqual([]);
      for (const { id } of over) {
        await control.cancelJob(id);
        left.delete(id);
      }
      await untilAcquired(Math.min(3, left.size));
    }
    expect((await control.books()).jobs).toMatchObject({ available: 0, canceled: 10 });
  });

  test('are acquired when there may be more runners, also by the next session', async () => {
    const { control, untilAcquired, declare } = await aGenerousServer();
    await control.addJobs({ scaleSet: 'linux', count: 10 });
    await untilAcquired(3);

    await declare.spec({ maxRunners: 5 });
    await untilAcquired(5);
    await control.evictSession('linux');
    await declare.spec({ maxRunners: 7 });

    await untilAcquired(7);
    expect((await control.books()).jobs.available).toBe(3);
  });

  test('hold up no facts while GitHub cannot give them', async () => {
    const { control, untilAcquired, facts } = await aGenerousServer();
    await control.addJobs({ scaleSet: 'linux', count: 4 });
    await untilAcquired(3);
    const action = { kind: 'status', status: 503 } as const;
    await control.addFault({ route: 'acquireJobs', first: 1_000, action });
    const [first, second] = await control.jobs();
    if (!first || !second) throw new Error('no jobs');

    await control.cancelJob(first.id);
    await control.cancelJob(second.id);

    await eventually(async () => {
      const ended = (await facts()).filter((fact) => fact.startsWith('job.completed'));
      expect(ended).toHaveLength(2);
    }, patient);
    await control.clearFaults();
    await untilAcquired(2);
  });

  test('that only the statistics know do not keep others waiting while a runner is idle', async () => {
    const { github, declare, plan, session, demand } = await aManager({
      sim: { dialect: 'ghes' },
      waitingPolicy: { ...defaultWaitingPolicy, offerQuietMs: 500, maxAgeWaitingMs: 500 },
    });
    await plan('linux', { free: 10 });
    await declare('linux', { maxRunners: 3 });
    await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(3), patient);
    await github.play('linux', {
      drift: { totalAssignedJobs: 15, totalIdleRunners: 1 },
      entries: [{ messageType: 'JobCompleted', jobId: 'seen-before' }],
    });
    await eventually(async () => expect((await demand('linux'))?.assigned).toBe(15), patient);

    await github.addJobs({ scaleSet: 'linux', count: 2 });

    await eventually(async () => expect((await github.books()).jobs.assigned).toBe(2), patient);
  });
});
