import { type Clock, systemClock } from '@baton/shared/time';
import { eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer } from './testing/listener-bench.ts';
import { aPollLoop } from './testing/poll-bench.ts';

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

/** Its waits are a hundredth of what they should be. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  sleep: async (ms, signal) => await systemClock.sleep(ms / 100, signal),
};

describe('pollLoop', () => {
  test('gives every message once, and says when a poll is held', async () => {
    const { github, came, counts } = await aPollLoop(server, scaleSetId);
    await eventually(() => expect(counts.held).toBeGreaterThan(0));

    await github.control.addJobs({ scaleSet: 'linux', count: 2 });

    await eventually(() =>
      expect(came.flatMap((message) => (message.kind === 'jobs' ? message.jobs : []))).toHaveLength(
        2,
      ),
    );
    await eventually(() => expect(counts.ended).toBeGreaterThan(0));
  });

  test('advertises a lower capacity at once, also while a poll is held, and several increases as one', async () => {
    const { github, capacity, setFree } = await aPollLoop(server, scaleSetId, {
      pollHoldMs: 30_000,
    });
    const told = async () =>
      (await github.control.journal())
        .filter(({ event }) => event === 'held')
        .map(({ at, capacity: value }) => ({ at, value }));
    const tell = async (free: number) => {
      await setFree(free);
      await capacity.read();
      return Date.now();
    };
    await eventually(async () => expect(await told()).toMatchObject([{ value: 10 }]));

    await tell(3);
    await eventually(async () => expect((await told()).at(-1)?.value).toBe(3));
    const increasedAt = await tell(4);
    for (const free of [5, 6, 7]) await tell(free);

    await eventually(async () =>
      expect((await told()).map(({ value }) => value)).toEqual([10, 3, 7]),
    );
    expect(((await told()).at(-1)?.at ?? 0) - increasedAt).toBeGreaterThan(900);
  });

  test.each([
    ['5xx', { kind: 'status', status: 502 }],
    ['an empty 200', { kind: 'empty200' }],
    ['a truncated 200', { kind: 'truncate' }],
    ['a reset', { kind: 'drop', when: 'before-headers' }],
  ] as const)('keeps the session and goes on after %s', async (_what, action) => {
    const { github, came } = await aPollLoop(server, scaleSetId);
    const before = (await github.state())?.session?.id;
    await github.control.addFault({ route: 'getMessage', first: 2, action });

    await github.control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(came).toHaveLength(1));
    expect((await github.state())?.session?.id).toBe(before);
  });

  test('renews a queue token that has ended, and keeps the session', async () => {
    const { github, came } = await aPollLoop(server, scaleSetId);
    const before = (await github.state())?.session?.id;

    await github.control.expireTokens('queue');
    await github.control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(came).toHaveLength(1));
    expect((await github.state())?.session?.id).toBe(before);
  });

  test.each([
    ['is refused with 403', { kind: 'status', status: 403 }, 1],
    ['is refused with 400', { kind: 'status', status: 400 }, 1],
    ['fails eight times in a row', { kind: 'status', status: 502 }, 8],
  ] as const)(
    'asks whether the session still lives when a poll %s',
    async (_what, action, first) => {
      const { github, came, asked } = await aPollLoop(server, scaleSetId, { clock: hastyClock });
      const before = (await github.state())?.session?.id;
      const looked = { kind: 'delay', ms: 0 } as const;
      await github.control.addFault({ id: 'refresh', route: 'refreshSession', action: looked });

      await github.control.addFault({ route: 'getMessage', first, action });
      await eventually(async () => expect(await asked('refresh')).toBe(1));
      await github.control.addJobs({ scaleSet: 'linux' });

      await eventually(() => expect(came).toHaveLength(1));
      expect((await github.state())?.session?.id).toBe(before);
    },
  );

  test('does not wait for what failed before, when GitHub answers and renews an ended token', async () => {
    const { github, came, failures, waits } = await aPollLoop(server, scaleSetId, {
      clock: hastyClock,
    });
    const failing = { kind: 'status', status: 502 } as const;
    await github.control.addFault({ route: 'getMessage', first: 7, action: failing });
    await eventually(() => expect(failures).not.toEqual([]));

    await github.control.expireTokens('queue');
    await github.control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(came).toHaveLength(1));
    expect(waits()).toEqual([150, 275, 525, 1025, 2025, 4025, 8025, 0]);
  });

  test('tries again soon when a poll is refused and NATS is away', async () => {
    const { github, nats, waits } = await aPollLoop(server, scaleSetId, { clock: hastyClock });
    const failing = { kind: 'status', status: 502 } as const;
    await github.control.addFault({ route: 'getMessage', first: 7, action: failing });

    await nats.connection.close();
    await github.control.expireTokens('queue');

    await eventually(() => expect(waits().length).toBeGreaterThan(9));
    expect(waits().slice(7, 10)).toEqual([500, 500, 500]);
  });

  test('gives up a poll that GitHub accepted and never answers, and polls again in its session', async () => {
    const { github, came, failures } = await aPollLoop(server, scaleSetId, { pollTimeoutMs: 300 });
    const before = (await github.state())?.session?.id;

    await github.control.addFault({ route: 'getMessage', first: 1, action: { kind: 'hang' } });
    await eventually(() => expect(failures).toEqual(['unavailable']));
    await github.control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(came).toHaveLength(1));
    expect((await github.state())?.session?.id).toBe(before);
    expect(await github.control.books()).toMatchObject({ sessionsCreated: 1 });
  });

  test('ends when GitHub has evicted the session', async () => {
    const { github, running } = await aPollLoop(server, scaleSetId);

    await github.control.evictSession('linux');

    await expect(running).rejects.toMatchObject({ kind: 'session-gone' });
  });

  test.each([
    ['are empty', { kind: 'status', status: 202 }],
    ['cannot be told apart', { kind: 'status', status: 200, body: '{"odd":true}' }],
  ] as const)('does not ask in a hot loop when answers %s', async (_what, action) => {
    const { github, counts, asked } = await aPollLoop(server, scaleSetId, { pollHoldMs: 30_000 });
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
    const { stop, running, counts } = await aPollLoop(server, scaleSetId, { pollHoldMs: 30_000 });
    await eventually(() => expect(counts.held).toBe(1));

    stop.abort();

    await expect(running).resolves.toBeUndefined();
  });
});
