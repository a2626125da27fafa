import { eventually, FakeClock } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from './testing/listener-bench.ts';
import { aPollLoop } from './testing/poll-bench.ts';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };
/** Counts the requests to a route without changing an answer. */
const counting = { kind: 'delay', ms: 0 } as const;
const assignment = (jobId: string) => ({ entries: [{ messageType: 'JobAssigned', jobId }] });

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('an outage of GitHub', () => {
  test('costs no session, and what came during it is handled afterwards', async () => {
    const set = await aServedSet();
    const { control } = set;
    const before = await set.session();
    await control.addFault({ id: 'close', route: 'deleteSession', action: counting });

    await control.outage(3_000);
    await control.play('linux', assignment('a'));
    expect(await set.facts()).toEqual([]);

    await set.untilFacts('job.assigned a');
    await set.untilEmpty();
    expect((await set.session())?.id).toBe(before?.id);
    expect(await set.asked('close')).toBe(0);
    expect(await control.books()).toMatchObject({ sessionsCreated: 1, sessionConflicts: 0 });
    expect(set.hasEnded()).toBe(false);
  });

  test('in which GitHub forgets the session is followed by a new one', async () => {
    const set = await aServedSet({ sessionExpiryMs: 1_000 });
    const { control } = set;
    const before = await set.session();

    await control.outage(3_000);
    await control.play('linux', assignment('a'));

    await set.untilFacts('job.assigned a');
    await set.untilEmpty();
    expect((await set.session())?.id).not.toBe(before?.id);
    expect((await control.books()).sessionsCreated).toBe(2);
    expect(set.hasEnded()).toBe(false);
  });

  test('that leaves sessions without a queue keeps the session', async () => {
    const set = await aServedSet();
    const { control } = set;
    const before = await set.session();
    const body = JSON.stringify({ sessionId: before?.id, messageQueueUrl: '' });
    const action = { kind: 'status', status: 200, body } as const;
    await control.addFault({ id: 'no queue', route: 'refreshSession', first: 3, action });
    await control.addFault({ id: 'close', route: 'deleteSession', action: counting });

    await control.expireTokens('queue');
    await eventually(async () => expect(await set.struck('no queue')).toBe(3), patient);
    await control.play('linux', assignment('a'));

    await set.untilFacts('job.assigned a');
    expect((await set.session())?.id).toBe(before?.id);
    expect(await set.asked('close')).toBe(0);
    expect((await control.books()).sessionsCreated).toBe(1);
    // Not even opened again.
    const opened = (await set.events()).filter(({ type }) => type === 'session.opened');
    expect(opened).toHaveLength(1);
  });

  test('of twenty minutes is over for a scale set half a minute after its end', async () => {
    const clock = new FakeClock();
    const { github, came, failures } = await aPollLoop(server, 'set-1', {
      clock,
      pollHoldMs: 30_000,
    });
    const before = (await github.state())?.session?.id;
    await eventually(async () => expect((await github.state())?.session?.held).toBe(true));
    await github.control.outage(3_600_000);
    await eventually(() => expect(failures).toHaveLength(1));

    for (let polls = 2; polls <= 41; polls += 1) {
      await clock.advance(30_001);
      await eventually(() => expect(failures.length).toBeGreaterThanOrEqual(polls));
    }
    await github.control.clearFaults();
    await github.control.addJobs({ scaleSet: 'linux' });
    expect(came).toEqual([]);
    await clock.advance(30_001);

    await eventually(() => expect(came).toHaveLength(1), patient);
    expect((await github.state())?.session?.id).toBe(before);
  });
});
