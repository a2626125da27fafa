import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };
/** Counts the requests to a route without changing an answer. */
const counting = { kind: 'delay', ms: 0 } as const;
/** Long enough for the token to end before the request is looked at. */
const slow = { kind: 'delay', ms: 400 } as const;

/** A served scale set, and how often its session was refreshed from here on. */
async function aWatchedSet(options: Parameters<typeof aServedSet>[0]) {
  const set = await aServedSet(options);
  await set.control.addFault({ id: 'refresh', route: 'refreshSession', action: counting });
  const before = (await set.session())?.id;
  return {
    ...set,
    expectOneRefresh: async () => {
      expect(await set.asked('refresh')).toBe(1);
      expect((await set.session())?.id).toBe(before);
      expect((await set.control.books()).sessionsCreated).toBe(1);
    },
  };
}

describe('a queue token that ends', () => {
  test('while a poll is held, is replaced once by poll and delete together', async () => {
    const set = await aWatchedSet({ pollHoldMs: 30_000 });
    const { control } = set;
    await control.expireTokens('queue');
    // The next poll is refused when the delete has its new token already.
    await control.addFault({ id: 'poll', route: 'getMessage', first: 1, action: slow });

    const jobs = await control.addJobs({ scaleSet: 'linux', count: 2 });

    await set.untilFacts(...jobs.map((job) => `job.assigned ${job}`));
    await set.untilEmpty();
    await eventually(async () => {
      expect(await set.struck('poll')).toBe(1);
      expect((await set.session())?.held).toBe(true);
    }, patient);
    await set.expectOneRefresh();
  });

  test('while a message is deleted, is replaced once and costs nothing', async () => {
    const set = await aWatchedSet({ pollHoldMs: 30_000 });
    const { control } = set;
    await control.addFault({ id: 'delete', route: 'deleteMessage', first: 1, action: slow });
    const [job] = await control.addJobs({ scaleSet: 'linux' });
    await eventually(async () => expect(await set.struck('delete')).toBe(1), patient);

    await control.expireTokens('queue');

    await set.untilEmpty();
    await set.untilFacts(`job.assigned ${job}`);
    await set.expectOneRefresh();
  });

  test('while offered jobs are acquired, is replaced once and costs no job', async () => {
    const set = await aWatchedSet({ dialect: 'ghes', pollHoldMs: 30_000 });
    const { control } = set;
    await control.addFault({ id: 'acquire', route: 'acquireJobs', first: 1, action: slow });
    const jobs = await control.addJobs({ scaleSet: 'linux', count: 3 });
    await eventually(async () => expect(await set.struck('acquire')).toBe(1), patient);

    await control.expireTokens('queue');

    await set.untilFacts(...jobs.map((job) => `job.assigned ${job}`));
    await set.untilEmpty();
    await set.expectOneRefresh();
  });
});
