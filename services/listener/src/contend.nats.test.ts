import { answerProbes, type Lease } from '@baton/shared/lease';
import { systemClock } from '@baton/shared/time';
import { eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { contend } from './contend.ts';
import { aLease, aListener, startServer, type TestListener } from './testing/listener-bench.ts';

let server: TestNats;
let id: string;
let ids = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  ids += 1;
  id = `set-${ids}`;
});

/** Contends until the test is over; `lease` is what came of it so far. */
function startContending(listener: TestListener, rank = 0) {
  const stop = new AbortController();
  const state: { lease?: Lease; tookMs?: number; goneMs?: number } = {};
  const startedAt = performance.now();
  const options = {
    scaleSetId: id,
    rank: () => rank,
    leaseHints: listener.leaseHints,
    signal: stop.signal,
  };
  const done = contend(listener, options).then(({ lease, goneSince }) => {
    state.lease = lease;
    state.goneMs = listener.clock.monotonic() - goneSince;
    state.tookMs = performance.now() - startedAt;
    return lease;
  });
  done.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort(new Error('test over'));
    await state.lease?.release();
  });
  return { stop, done, state };
}

/** A holder that says how often it was asked whether it lives. */
async function aLivingHolder(identity = 'listener-1') {
  const holder = await aListener(server, { identity });
  const { connection } = holder.nats;
  let probes = 0;
  connection.subscribe(`baton.v1.live.${identity}.${holder.holder.incarnation}`, {
    callback: (_error, probe) => {
      probes += 1;
      probe.respond();
    },
  });
  await connection.flush();
  return { ...holder, lease: await aLease(holder, id), probes: () => probes };
}

/** A lease whose holder's process does not live any more. */
async function leaseOfTheDead(identity: string) {
  const dead = await aListener(server, { identity, incarnation: `dead-${id}` });
  await dead.leases.tryAcquire(id);
  await dead.nats.connection.close();
}

/** A listener whose connection has been up for so long that silence means something. */
async function aTrustingListener(identity?: string) {
  let passedMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passedMs };
  const listener = await aListener(server, { clock, ...(identity ? { identity } : {}) });
  passedMs = 6_000;
  return listener;
}

describe('contend', () => {
  test('takes a free lease at once', async () => {
    const { done, state } = startContending(await aListener(server));

    await done;

    expect(state.tookMs).toBeLessThan(700);
  });

  test('leaves a free lease for a while to one that is preferred', async () => {
    const { done, state } = startContending(await aListener(server), 1);

    await done;

    expect(state.tookMs).toBeGreaterThanOrEqual(750);
    expect(state.tookMs).toBeLessThan(1_500);
  });

  test('of many that contend one gets it', async () => {
    const listeners = await Promise.all(
      ['a', 'b', 'c'].map((identity) => aListener(server, { identity })),
    );
    for (const { nats, holder } of listeners) answerProbes(nats, holder);

    const contenders = listeners.map((listener) => startContending(listener));
    await Promise.race(contenders.map(({ done }) => done));

    expect(contenders.filter(({ state }) => state.lease)).toHaveLength(1);
  });

  test('leaves a lease alone whose holder lives', async () => {
    const holder = await aLivingHolder();

    const { state } = startContending(await aTrustingListener());
    await eventually(() => expect(holder.probes()).toBeGreaterThan(2));

    expect(state.lease).toBeUndefined();
    expect(holder.lease.signal.aborted).toBe(false);
  });

  test('takes a lease at once when it hears that it was released', async () => {
    const holder = await aLivingHolder();
    const listener = await aListener(server);
    listener.hints.subscribe('lease', (released) => listener.leaseHints.wake(released));
    const { done } = startContending(listener);
    await eventually(() => expect(holder.probes()).toBeGreaterThan(0));

    await holder.lease.release();
    const releasedAt = performance.now();
    holder.hints.send('lease', id);
    await done;

    expect(performance.now() - releasedAt).toBeLessThan(400);
  });

  test('takes a released lease within a TTL when the hint is lost', async () => {
    const holder = await aLivingHolder();
    const { done } = startContending(await aListener(server, { ttlMs: 1_500 }));
    await eventually(() => expect(holder.probes()).toBeGreaterThan(0));

    await holder.lease.release();
    const releasedAt = performance.now();
    await done;

    expect(performance.now() - releasedAt).toBeLessThan(1_500);
  });

  test('breaks the lease of a holder whose process is dead', async () => {
    await leaseOfTheDead('listener-1');

    const { done, state } = startContending(await aTrustingListener());
    const lease = await done;

    expect(lease.signal.aborted).toBe(false);
    expect(state.tookMs).toBeGreaterThanOrEqual(500);
    expect(state.tookMs).toBeLessThan(2_000);
    // Counted from the first silence, though only the second one proves the death.
    expect(state.goneMs).toBeGreaterThanOrEqual(500);
    expect(state.goneMs).toBeLessThanOrEqual(state.tookMs ?? 0);
  });

  test('breaks nothing when its own connection has only just come up', async () => {
    await leaseOfTheDead('listener-1');
    const listener = await aListener(server);

    const { state } = startContending(listener);
    await eventually(
      async () => {
        const verdict = await listener.prober.check({
          v: 1,
          identity: 'listener-1',
          incarnation: `dead-${id}`,
        });
        expect(verdict).toBe('dead');
      },
      { everyMs: 300 },
    );
    await listener.clock.sleep(600);

    expect(state.lease).toBeUndefined();
  });

  test('a restarted listener takes over from its dead self without that trust', async () => {
    await leaseOfTheDead('listener-0');

    const { done, state } = startContending(await aListener(server));
    await done;

    expect(state.tookMs).toBeGreaterThanOrEqual(500);
    expect(state.tookMs).toBeLessThan(1_500);
  });

  test('takes back at once what it lost itself', async () => {
    const listener = await aListener(server);
    const { identity, incarnation } = listener.holder;
    const earlier = await aListener(server, { identity, incarnation });
    await earlier.leases.tryAcquire(id);
    await earlier.nats.connection.close();

    const { done, state } = startContending(listener);
    await done;

    expect(state.tookMs).toBeLessThan(450);
  });

  test('ends when another living process has its identity', async () => {
    await aLivingHolder('listener-0');

    const { done } = startContending(await aListener(server));

    await expect(done).rejects.toMatchObject({ code: 'config' });
    await expect(done).rejects.toThrow('"listener-0": give each process its own BATON_INSTANCE');
  });

  test('waits through a restart of NATS', async () => {
    const holder = await aLivingHolder();
    const listener = await aListener(server);
    const { done, state } = startContending(listener);
    await eventually(() => expect(holder.probes()).toBeGreaterThan(0));

    await server.restart();
    await eventually(() => expect(listener.nats.connectedForMs()).toBeGreaterThan(0));
    const heldOn = state.lease === undefined;
    await eventually(() => holder.lease.renew());
    await holder.lease.release();
    await done;

    expect(heldOn).toBe(true);
  });

  test('ends with the reason when it is stopped', async () => {
    await aLivingHolder();
    const { stop, done } = startContending(await aListener(server));
    const reason = new Error('spec is gone');

    stop.abort(reason);

    await expect(done).rejects.toBe(reason);
  });
});
