import { describe, expect, test } from 'vitest';
import { aRunner, aSession, aSimulator, job, kindsIn } from '../testing/core-builders.ts';
import type { Job } from './model.ts';

describe('runners and jobs', () => {
  test('a ready runner gets the oldest assigned job, and the set is told late of the start', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    const [first] = given.sim.jobs.add({ ...job, count: 2 });
    await poll().answer;
    const held = poll(100_000_001);
    const { token, runner } = aRunner(given.sim, given.set, 'r1');

    const waiting = given.sim.desk.hold(token, 'wait');

    await expect(waiting.answer).resolves.toMatchObject({ kind: 'job', job: { id: first?.id } });
    expect(held.open).toBe(true);
    await given.clock.advance(50_000);
    expect(kindsIn(await held.answer)).toEqual(['JobStarted']);
    expect(runner.status).toBe('busy');
    expect(() => given.sim.runners.remove('orgs/acme', String(runner.id))).toThrow('400');
  });

  test('completion wakes the poll and removes the registration', async () => {
    const given = aSimulator({ startedWakesPoll: true });
    const { poll } = aSession(given);
    given.sim.jobs.add(job);
    await poll().answer;
    const { token } = aRunner(given.sim, given.set, 'r1');
    given.sim.desk.hold(token, 'wait');
    await poll(100_000_001).answer;
    const held = poll(100_000_002);

    given.sim.desk.complete(token, 'succeeded');
    given.sim.desk.complete(token, 'succeeded');

    expect(kindsIn(await held.answer)).toEqual(['JobCompleted']);
    expect(given.sim.runners.all()).toEqual([]);
    expect(given.sim.jobs.counts()).toMatchObject({ completed: 1 });
    expect(given.sim.jobs.lostCount()).toBe(0);
  });

  test('a job that nobody takes is assigned three times, then cancelled', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    given.sim.jobs.add(job);
    poll();

    await given.clock.advance(899_999);
    expect(given.sim.jobs.counts()).toMatchObject({ assigned: 1 });
    await given.clock.advance(1);

    expect(given.sim.jobs.counts()).toMatchObject({ canceled: 1 });
    expect(given.sim.jobs.lostCount()).toBe(1);
    expect(kindsIn(await poll(100_000_001).answer)).toEqual([
      'JobAssigned',
      'JobAssigned',
      'JobCompleted',
    ]);
  });

  test('a dead runner is noticed late, and its job fails', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    given.sim.jobs.add(job);
    poll();
    const { token } = aRunner(given.sim, given.set, 'r1');
    given.sim.desk.hold(token, 'wait');
    const watch = given.sim.desk.hold(token, 'watch');
    watch.end({ kind: 'none' });

    await given.clock.advance(569_999);
    expect(given.sim.jobs.counts()).toMatchObject({ running: 1 });
    await given.clock.advance(1);

    expect(given.sim.jobs.counts()).toMatchObject({ failed: 1 });
    expect(given.sim.runners.all()).toEqual([]);
  });

  test('a user cancels a running job through its runner', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    const [added] = given.sim.jobs.add(job);
    poll();
    const { token } = aRunner(given.sim, given.set, 'r1');
    given.sim.desk.hold(token, 'wait');
    const watch = given.sim.desk.hold(token, 'watch');

    given.sim.jobs.cancel((added as Job).id);
    await expect(watch.answer).resolves.toEqual({ kind: 'cancel' });
    given.sim.desk.complete(token, 'canceled');

    expect(given.sim.jobs.counts()).toMatchObject({ canceled: 1 });
    expect(given.sim.jobs.lostCount()).toBe(0);
  });

  test('a JIT config works for one process only', () => {
    const given = aSimulator();
    const { runner } = aRunner(given.sim, given.set, 'r1');
    const { id: agentId, secret } = runner;

    expect(() => given.sim.desk.connect({ agentId, secret, instance: 'other' })).toThrow('409');
    expect(given.sim.desk.runnersOnline).toBe(1);
  });

  test('an idle runner loses its registration when that is asked for', async () => {
    const given = aSimulator({ idleRunnerMs: 120_000, runnerPollMs: 500_000 });
    const { token } = aRunner(given.sim, given.set, 'r1');
    const waiting = given.sim.desk.hold(token, 'wait');

    await given.clock.advance(120_000);

    await expect(waiting.answer).resolves.toEqual({ kind: 'removed' });
  });

  test('deleting a scale set loses the jobs bound to it and keeps those that queue', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    given.sim.jobs.add({ ...job, count: 3 });
    await poll(0, 2).answer;

    given.sim.deleteScaleSet(given.set);

    expect(given.sim.jobs.counts()).toMatchObject({ queued: 1, failed: 2 });
    expect(given.sim.jobs.lostCount()).toBe(3);
  });
});
