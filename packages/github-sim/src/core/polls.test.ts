import { describe, expect, test } from 'vitest';
import { aSession, aSimulator, job, kindsIn } from '../testing/core-builders.ts';
import type { Job } from './model.ts';
import { statisticsOf } from './statistics.ts';

describe('polls', () => {
  test('a poll without a message is held, then ends empty', async () => {
    const given = aSimulator();
    const held = aSession(given).poll();

    await given.clock.advance(49_999);
    expect(held.open).toBe(true);
    await given.clock.advance(1);

    await expect(held.answer).resolves.toEqual({ kind: 'none' });
  });

  test('a second poll of a session ends the first', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    const first = poll();

    const second = poll();

    await expect(first.answer).resolves.toEqual({ kind: 'none' });
    expect(second.open).toBe(true);
    expect(given.sim.polls.heldCount).toBe(1);
  });

  test('a message is delivered again until it is deleted, to a new session too', async () => {
    const given = aSimulator();
    const { session, poll } = aSession(given);
    given.sim.jobs.add(job);
    const first = await poll().answer;
    const again = await poll().answer;
    given.sim.sessions.end(session, 'deleted');
    const next = aSession(given);
    const later = await next.poll().answer;

    given.set.log.delete(100_000_001);

    expect(first).toMatchObject({ kind: 'message', id: 100_000_001 });
    expect(again).toMatchObject({ kind: 'message', id: 100_000_001 });
    expect(later).toMatchObject({ kind: 'message', id: 100_000_001 });
    expect(next.poll().open).toBe(true);
    expect(given.sim.polls.messagesRedelivered).toBe(2);
  });

  test('a cursor skips what came before it', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    given.sim.jobs.add({ ...job, count: 51 });

    await poll().answer;

    await expect(poll(100_000_001).answer).resolves.toMatchObject({ id: 100_000_002 });
    expect(poll(100_000_002).open).toBe(true);
  });

  test('a message holds at most fifty entries', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    given.sim.jobs.add({ ...job, count: 120 });

    const sizes = [0, 100_000_001].map(async (cursor) => kindsIn(await poll(cursor, 120).answer));

    expect((await Promise.all(sizes)).map((kinds) => kinds.length)).toEqual([50, 50]);
    expect(given.set.log.length).toBe(3);
  });

  test.each([
    ['as-written', 3],
    ['as-delivered', 0],
  ] as const)(
    'statistics %s stay %i when the jobs are over',
    async (messageStatistics, assigned) => {
      const given = aSimulator({ messageStatistics });
      const { poll } = aSession(given);
      const held = poll();

      const jobs = given.sim.jobs.add({ ...job, count: 3 });
      await expect(held.answer).resolves.toMatchObject({ statistics: { totalAssignedJobs: 3 } });
      for (const { id } of jobs) given.sim.jobs.cancel(id);

      const statistics = { totalAssignedJobs: assigned };
      await expect(poll().answer).resolves.toMatchObject({ id: 100_000_001, statistics });
      await expect(poll(100_000_001).answer).resolves.toMatchObject({
        statistics: { totalAssignedJobs: 0 },
      });
    },
  );
});

describe('capacity', () => {
  test('no more jobs are assigned than the current poll allows', async () => {
    const given = aSimulator();
    const { poll } = aSession(given);
    given.sim.jobs.add({ ...job, count: 5 });

    const none = poll(0, 0);
    expect(none.open).toBe(true);
    expect(kindsIn(await poll(0, 1).answer)).toEqual(['JobAssigned']);
    expect(kindsIn(await poll(100_000_001, 3).answer)).toEqual(['JobAssigned', 'JobAssigned']);
    poll(100_000_002, 1);

    expect(given.sim.jobs.counts()).toMatchObject({ queued: 2, assigned: 3 });
  });

  test('without a held poll nothing is assigned', () => {
    const given = aSimulator();
    aSession(given);

    given.sim.jobs.add(job);

    expect(given.sim.jobs.counts()).toMatchObject({ queued: 1, assigned: 0 });
  });

  test('jobs go to sets that have all their labels', () => {
    const given = aSimulator();
    const gpu = given.sim.createScaleSet('orgs/acme', { name: 'b', labels: ['Linux', 'GPU'] });
    const polls = [given.set, gpu].map((set) => aSession({ sim: given.sim, set }).poll());

    given.sim.jobs.add({ ...job, scaleSet: undefined, labels: ['gpu', 'linux'] });

    expect(polls.map(({ open }) => open)).toEqual([true, false]);
  });
});

describe('the ghes dialect', () => {
  test('jobs are offered, and assigned when they are acquired', async () => {
    const given = aSimulator({ dialect: 'ghes' });
    const { poll } = aSession(given);
    const held = poll();
    const [added] = given.sim.jobs.add({ ...job, count: 2 });
    const offered = await held.answer;
    const waiting = poll(100_000_001);

    const granted = given.sim.flow.acquire(given.set, [(added as Job).requestId, 5n]);

    expect(kindsIn(offered)).toEqual(['JobAvailable', 'JobAvailable']);
    expect(granted).toEqual([(added as Job).requestId]);
    expect(kindsIn(await waiting.answer)).toEqual(['JobAssigned']);
    expect(statisticsOf(given.set, 'ghes')).toMatchObject({
      totalAvailableJobs: 1,
      totalAssignedJobs: 1,
    });
  });

  test('request ids are bare numbers above 2^53', async () => {
    const given = aSimulator({ dialect: 'ghes' });
    const held = aSession(given).poll();

    given.sim.jobs.add(job);

    expect(await held.answer).toMatchObject({
      body: expect.stringContaining('"runnerRequestId":9007199254740993,') as unknown,
    });
  });
});
