import { aDemand, aSessionRecord, eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aListener, startServer } from './testing/listener-bench.ts';

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

describe('SessionClaim', () => {
  test('begins with the time, so that it is later than whatever a restored copy says', async () => {
    const listener = await aListener(server);
    const secondsBefore = Math.floor(Date.now() / 1_000);

    const claim = await listener.claim(id);

    expect(claim.epoch).toBeGreaterThanOrEqual(secondsBefore);
    expect((await listener.sessions.get(id))?.value).toEqual(claim.record);
  });

  test('has a later epoch than the one before, also when that came from the future', async () => {
    const listener = await aListener(server);
    const first = await listener.claim(id);
    const second = await listener.claim(id);
    const future = aSessionRecord({ scaleSetId: `${id}-future`, epoch: 9_999_999_999 });
    await listener.sessions.create(`${id}-future`, future);

    const third = await listener.claim(`${id}-future`);

    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(third.epoch).toBe(10_000_000_000);
  });

  test('keeps what the one before knew, also what it does not understand itself', async () => {
    const listener = await aListener(server);
    const known = {
      ...aSessionRecord({
        scaleSetId: id,
        ring: [{ messageId: '5', bodyHash: 'h' }],
        demand: aDemand({ assigned: 3 }),
      }),
      later: { version: 2 },
    };
    await listener.sessions.create(id, known);

    const claim = await listener.claim(id);

    const { holder } = listener;
    expect(claim.record).toEqual({
      ...known,
      epoch: claim.epoch,
      owner: `${holder.identity}/${holder.incarnation}`,
    });
  });

  test('claims over a record that was deleted', async () => {
    const listener = await aListener(server);
    const revision = (await listener.sessions.create(id, aSessionRecord({ scaleSetId: id }))) ?? 0;
    await listener.sessions.delete(id, revision);

    const claim = await listener.claim(id);

    expect(claim.record.ring).toEqual([]);
  });

  test('of many that claim at once all win in turn, each with an epoch of its own', async () => {
    const listeners = await Promise.all(Array.from({ length: 5 }, () => aListener(server)));

    const claims = await Promise.all(listeners.map((listener) => listener.claim(id)));

    const epochs = claims.map(({ epoch }) => epoch);
    expect(new Set(epochs).size).toBe(5);
    expect((await listeners[0]?.sessions.get(id))?.value.epoch).toBe(Math.max(...epochs));
  });

  test('a later claim makes the writes of the earlier one fail, and loses nothing', async () => {
    const [old, young] = await Promise.all([aListener(server), aListener(server)]);
    const earlier = await old.claim(id);
    const later = await young.claim(id);
    await later.write((record) => ({ ...record, demand: aDemand({ assigned: 7 }) }));

    const writing = earlier.write((record) => ({ ...record, ring: [] }));

    await expect(writing).rejects.toMatchObject({ code: 'conflict' });
    await expect(writing).rejects.toThrow(`was claimed by epoch ${later.epoch}`);
    expect((await old.sessions.get(id))?.value).toEqual(later.record);
  });

  test('writes one after another, each on top of the one before', async () => {
    const listener = await aListener(server);
    const claim = await listener.claim(id);

    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        claim.write((record) => ({
          ...record,
          ring: [...record.ring, { messageId: String(n), bodyHash: 'h' }],
        })),
      ),
    );

    const stored = (await listener.sessions.get(id))?.value;
    expect(stored?.ring.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 20 }, (_, n) => String(n)),
    );
    expect(stored).toEqual(claim.record);
  });

  test('a write that failed does not keep the next one from being made', async () => {
    const claim = await (await aListener(server)).claim(id);

    const failing = claim.write(() => {
      throw new RangeError('broken');
    });
    const next = claim.write((record) => ({ ...record, demand: aDemand({ assigned: 1 }) }));

    await expect(failing).rejects.toThrow('broken');
    await next;
    expect(claim.record.demand?.assigned).toBe(1);
  });

  test('finishes a write through a restart of NATS', async () => {
    const listener = await aListener(server);
    const claim = await listener.claim(id);
    await server.kill();

    const writing = claim.write((record) => ({ ...record, demand: aDemand({ assigned: 4 }) }));
    await server.startAgain();
    await writing;

    const stored = await eventually(() => listener.sessions.get(id));
    expect(stored?.value.demand?.assigned).toBe(4);
  });

  test('goes on when the answer to a write was lost', async () => {
    const listener = await aListener(server);
    const claim = await listener.claim(id);

    await server.freeze();
    const writing = claim.write((record) => ({ ...record, demand: aDemand({ assigned: 2 }) }));
    await listener.clock.sleep(2_100);
    server.thaw();
    await writing;
    await claim.write((record) => ({ ...record, ring: [{ messageId: '1', bodyHash: 'h' }] }));

    expect((await listener.sessions.get(id))?.value).toEqual(claim.record);
    expect(claim.record).toMatchObject({ demand: { assigned: 2 }, ring: [{ messageId: '1' }] });
  });

  test('stops trying when the lease is lost', async () => {
    const listener = await aListener(server);
    const lease = new AbortController();
    const claim = await listener.claim(id, lease.signal);
    const reason = new Error('lease lost');
    lease.abort(reason);

    await expect(claim.write((record) => record)).rejects.toBe(reason);
    await expect(listener.claim(id, lease.signal)).rejects.toBe(reason);
  });
});
