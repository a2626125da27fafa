import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  heldPoll,
  instances,
  sessionExpiryMs,
  simulator,
  startPolling,
  wipeSession,
} from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 20 };
const slow = { timeoutMs: sessionExpiryMs + 20_000, everyMs: 50 };

/**
 * The outage that Baton exists for: the process that holds the session dies, GitHub still has the
 * session, and everything that depended on that process stands still.
 */
describe('a listener that was killed', () => {
  test.concurrent('is not needed to delete 25 marked instances', async () => {
    await using stack = await startPolling();
    await stack.service('janitor-0').kill();
    await simulator(stack).addJobs({ scaleSet: 'linux', count: 25, durationMs: 10 });
    await eventually(async () => expect(await markedRunners(stack)).toBe(25), slow);
    expect(await instances(stack)).toHaveLength(25);

    await stack.service('listener-0').kill();
    stack.service('janitor-0').restart();

    await eventually(async () => expect(await instances(stack)).toEqual([]), patient);
    expect((await simulator(stack).books()).registrations).toEqual([]);
    expect(stack.service('listener-0').running).toBe(false);
  });

  test.concurrent('polls again within 10 s of GitHub freeing a session that nobody knows', async () => {
    await using stack = await startPolling();
    const listener = stack.service('listener-0');
    await listener.kill();
    await wipeSession(stack, 'linux');

    listener.restart();

    const session = async () => (await simulator(stack).state()).scaleSets[0]?.session;
    const stale = await session();
    await eventually(async () => expect((await session())?.id).not.toBe(stale?.id), slow);
    const freedAt = Date.now();
    await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
    expect(Date.now() - freedAt).toBeLessThanOrEqual(10_000);
    expect((await simulator(stack).books()).sessionConflicts).toBeGreaterThan(1);
  });
});

const runnersSchema = z.array(z.looseObject({ state: z.string() }));

async function markedRunners(stack: LocalStack): Promise<number> {
  const runners: unknown = JSON.parse(await stack.baton('get', 'runners', '-o', 'json'));
  return runnersSchema.parse(runners).filter(({ state }) => state === 'marked').length;
}
