import type { QueueMessage } from '@baton/scaleset';
import { openPlans } from '@baton/shared/stores';
import { aPlan, aSpec, eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CapacityWatch } from './capacity-watch.ts';
import { LiveSession } from './live-session.ts';
import { pollLoop } from './poll-loop.ts';
import { aGitHub } from './testing/github-bench.ts';
import { aLease, aListener, startServer } from './testing/listener-bench.ts';
import { Wakeups } from './wakeups.ts';

let server: TestNats;
let scaleSetId: string;
let ids = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  ids += 1;
  scaleSetId = `set-${ids}`;
});

/** A loop that polls a scale set with room for ten runners until the test is over. */
async function aPollLoop(options: Parameters<typeof aGitHub>[0] = {}) {
  const github = await aGitHub(options);
  const githubScaleSetId = await github.aScaleSet();
  const listener = await aListener(server);
  const plans = await openPlans(await server.connect('provisioner'));
  const setFree = async (free: number) =>
    void (await plans.put(scaleSetId, aPlan({ free, freeAt: new Date().toISOString() })));
  await setFree(10);
  const spec = aSpec({ scaleSetId, declaration: { maxRunners: 20 } });
  const capacity = new CapacityWatch({ ...listener, planHints: new Wakeups() }, () => spec);
  await capacity.read();
  const opened = await github.client.createSession(githubScaleSetId, 'baton-test');
  const lease = await aLease(listener, scaleSetId);
  const session = new LiveSession(
    { ...listener, client: github.client, lease },
    githubScaleSetId,
    opened,
  );
  const queue = github.queue(githubScaleSetId);
  const stop = new AbortController();
  const came: QueueMessage[] = [];
  const counts = { held: 0, ended: 0 };
  const running = pollLoop(
    { ...listener, queue, session, capacity },
    {
      onMessage: async (message) => {
        came.push(message);
        if (message.messageId) await queue.deleteMessage(message.messageId, session.queue);
      },
      heldMs: 30,
      onHeld: () => {
        counts.held += 1;
      },
      onPollEnd: () => {
        counts.ended += 1;
      },
    },
    stop.signal,
  );
  running.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await running.catch(() => undefined);
  });
  /** How often a route was asked since the fault was set. */
  const asked = async (id: string) =>
    (await github.control.state()).faults.find((fault) => fault.id === id)?.seen ?? 0;
  return { ...listener, github, capacity, setFree, stop, running, came, counts, asked };
}

describe('pollLoop', () => {
  test('gives every message once, and says when a poll is held', async () => {
    const { github, came, counts } = await aPollLoop();
    await eventually(() => expect(counts.held).toBeGreaterThan(0));

    await github.control.addJobs({ scaleSet: 'linux', count: 2 });

    await eventually(() =>
      expect(came.flatMap((message) => (message.kind === 'jobs' ? message.jobs : []))).toHaveLength(
        2,
      ),
    );
    await eventually(() => expect(counts.ended).toBeGreaterThan(0));
  });

  test('advertises a changed capacity at once, also while a poll is held', async () => {
    const { github, capacity, setFree } = await aPollLoop({ pollHoldMs: 30_000 });
    const held = async () => (await github.state())?.session?.heldCapacity;
    await eventually(async () => expect(await held()).toBe(10));

    await setFree(3);
    await capacity.read();

    await eventually(async () => expect(await held()).toBe(3));
  });

  test.each([
    ['5xx', { kind: 'status', status: 502 }],
    ['an empty 200', { kind: 'empty200' }],
    ['a truncated 200', { kind: 'truncate' }],
    ['a reset', { kind: 'drop', when: 'before-headers' }],
  ] as const)('keeps the session and goes on after %s', async (_what, action) => {
    const { github, came } = await aPollLoop();
    const before = (await github.state())?.session?.id;
    await github.control.addFault({ route: 'getMessage', first: 2, action });

    await github.control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(came).toHaveLength(1));
    expect((await github.state())?.session?.id).toBe(before);
  });

  test('renews a queue token that has ended, and keeps the session', async () => {
    const { github, came } = await aPollLoop();
    const before = (await github.state())?.session?.id;

    await github.control.expireTokens('queue');
    await github.control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(came).toHaveLength(1));
    expect((await github.state())?.session?.id).toBe(before);
  });

  test('ends when GitHub has evicted the session', async () => {
    const { github, running } = await aPollLoop();

    await github.control.evictSession('linux');

    await expect(running).rejects.toMatchObject({ kind: 'session-gone' });
  });

  test.each([
    ['are empty', { kind: 'status', status: 202 }],
    ['cannot be told apart', { kind: 'status', status: 200, body: '{"odd":true}' }],
  ] as const)('does not ask in a hot loop when answers %s', async (_what, action) => {
    const { github, counts, asked } = await aPollLoop({ pollHoldMs: 30_000 });
    await github.control.addFault({ id: 'watched', route: 'getMessage', action });
    await github.control.expireTokens('queue');
    await github.control.addJobs({ scaleSet: 'linux' });
    await eventually(() => expect(counts.ended).toBeGreaterThan(0));
    const startedAt = performance.now();
    const before = await asked('watched');

    await eventually(() => expect(performance.now() - startedAt).toBeGreaterThan(900));

    expect((await asked('watched')) - before).toBeLessThan(8);
  });

  test('ends at once when it is stopped, also while a poll is held', async () => {
    const { stop, running, counts } = await aPollLoop({ pollHoldMs: 30_000 });
    await eventually(() => expect(counts.held).toBe(1));

    stop.abort();

    await expect(running).resolves.toBeUndefined();
  });
});
