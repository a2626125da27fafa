import { captureLog, eventually, FakeClock, startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buckets, topology } from '../contracts/index.ts';
import type { Nats } from './connect.ts';
import { KvBucket } from './kv-bucket.ts';
import { KvCopy } from './kv-copy.ts';
import { applyTopology } from './topology.ts';

const schema = z.looseObject({ n: z.int() });
const deletedKeptMs = 120_000;

let server: TestNats;
/** Another process, which may write whatever it likes. */
let others: Nats;
let bucket: KvBucket<typeof schema>;
beforeEach(async () => {
  server = await startTestNats();
  others = await server.connect('admin');
  bucket = await KvBucket.open(others, buckets.runners, schema);
});
afterEach(() => server[Symbol.asyncDispose]());

/** A copy as a provisioner has it, with that service's permissions. */
async function copying({ clock = new FakeClock() } = {}) {
  const { log, lines } = captureLog();
  const nats = await server.connect('provisioner', { clock, log });
  const own = await KvBucket.open(nats, buckets.runners, schema);
  const copy = new KvCopy(own, nats, { deletedKeptMs });
  return { nats, own, copy, clock, lines };
}

type Copying = Awaited<ReturnType<typeof copying>>;

/** What the copy holds after `sync`, as `key: n`. */
async function synced({ copy }: Pick<Copying, 'copy'>): Promise<Record<string, number>> {
  await copy.sync();
  return Object.fromEntries(copy.all().map(({ key, value }) => [key, value.n]));
}

/** What was asked of JetStream since the call before, by the server's own count of our messages. */
function requestsOf({ nats }: Copying): () => number {
  let before = nats.connection.stats().outMsgs;
  return () => {
    const now = nats.connection.stats().outMsgs;
    const count = now - before;
    before = now;
    return count;
  };
}

describe('KvCopy', () => {
  test('holds what the bucket holds, and tells what never was from what was deleted', async () => {
    await bucket.put('a.1', { n: 1 });
    await bucket.put('a.2', { n: 2 });
    await bucket.put('b.1', { n: 3 });
    const doomed = await bucket.put('a.3', { n: 4 });
    await bucket.delete('a.3', doomed);
    const { copy } = await copying();

    await copy.sync();

    expect(
      copy
        .under('a')
        .map(({ key }) => key)
        .sort(),
    ).toEqual(['a.1', 'a.2']);
    expect(copy.lookup('b.1')).toMatchObject({ kind: 'found', value: { n: 3 } });
    expect(copy.lookup('a.3')).toMatchObject({ kind: 'deleted' });
    expect(copy.lookup('a.4')).toEqual({ kind: 'never' });
  });

  test('holds nothing of an empty bucket', async () => {
    expect(await synced(await copying())).toEqual({});
  });

  test('reads one entry for each change, however many live', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, n) => bucket.put(`a.${n}`, { n })));
    const process = await copying();
    await process.copy.sync();
    const requests = requestsOf(process);

    await process.copy.sync();
    expect(requests()).toBe(1);

    await bucket.put('a.7', { n: -7 });
    const revision = await bucket.put('b.new', { n: 1 });
    await bucket.delete('b.new', revision);
    const held = await synced(process);
    // The state of the log, the two that stand, and at the most as often where one was superseded.
    expect(requests()).toBeLessThanOrEqual(4);
    expect(held['a.7']).toBe(-7);
    expect(Object.keys(held)).toHaveLength(500);
  });

  test('has keys that others write while everything is read for the first time', async () => {
    await bucket.put('a.1', { n: 1 });
    await bucket.put('a.2', { n: 2 });
    const process = await copying();
    const readLog = process.own.readLog.bind(process.own);
    process.own.readLog = async (read) =>
      await readLog(async (log) => {
        const state = await log.state();
        const stateLater = log.state.bind(log);
        log.state = async () => {
          log.state = stateLater;
          await bucket.put('a.1', { n: -1 });
          return state;
        };
        return await read(log);
      });

    expect(await synced(process)).toEqual({ 'a.1': -1, 'a.2': 2 });
  });

  test('asks for nothing that its own process wrote', async () => {
    const process = await copying();
    await process.copy.sync();
    const requests = requestsOf(process);

    const revision = (await process.own.create('a.1', { n: 1 })) ?? 0;
    await process.own.update('a.1', { n: 2 }, revision);
    expect(process.copy.lookup('a.1')).toMatchObject({ kind: 'found', value: { n: 2 } });
    const doomed = (await process.own.create('a.2', { n: 3 })) ?? 0;
    await process.own.delete('a.2', doomed);
    expect(process.copy.lookup('a.2')).toMatchObject({ kind: 'deleted' });
    requests();
    const held = await synced(process);

    expect(requests()).toBe(1);
    expect(held).toEqual({ 'a.1': 2 });
  });

  test('does not bring back what others deleted after its own process wrote it', async () => {
    const process = await copying();
    await process.copy.sync();
    const revision = (await process.own.create('a.1', { n: 1 })) ?? 0;

    await bucket.delete('a.1', revision);

    expect(await synced(process)).toEqual({});
  });

  test('steps over many sequences that were superseded', async () => {
    await bucket.put('a.old', { n: 0 });
    for (let n = 0; n < 30; n += 1) {
      await Promise.all(Array.from({ length: 100 }, () => bucket.put('a.hot', { n })));
    }
    const process = await copying();
    const requests = requestsOf(process);

    expect(await synced(process)).toEqual({ 'a.old': 0, 'a.hot': 29 });

    // Two entries among three thousand sequences.
    expect(requests()).toBeLessThan(600);
  });

  test('reads everything anew when the stream was made again', async () => {
    const process = await copying();
    for (const key of ['a.1', 'a.2', 'a.3']) await bucket.put(key, { n: 1 });
    await process.copy.sync();

    const jsm = await others.connection.jetstreamManager();
    await jsm.streams.delete(`KV_${buckets.runners}`);
    await applyTopology(await server.connect('cli'), topology({ leaseTtlMs: 10_000 }), 1);
    for (const key of ['b.1', 'b.2', 'b.3', 'b.4', 'b.5']) await bucket.put(key, { n: 2 });

    expect(Object.keys(await synced(process)).sort()).toEqual(['b.1', 'b.2', 'b.3', 'b.4', 'b.5']);
  });

  test('reads everything anew when values went without leaving a mark', async () => {
    const process = await copying();
    for (const key of ['a.1', 'a.2', 'a.3']) await bucket.put(key, { n: 1 });
    await process.copy.sync();

    const jsm = await others.connection.jetstreamManager();
    await jsm.streams.purge(`KV_${buckets.runners}`);
    await bucket.put('a.4', { n: 1 });

    expect(await synced(process)).toEqual({ 'a.4': 1 });
  });

  test('reads everything anew when deletions may have been forgotten since', async () => {
    const process = await copying();
    const revision = await bucket.put('a.1', { n: 1 });
    await bucket.put('a.2', { n: 1 });
    await process.copy.sync();
    await bucket.delete('a.1', revision);
    const found = await bucket.lookup('a.1');
    await bucket.forget('a.1', found.kind === 'deleted' ? found.revision : 0);
    // As many as before: only the age of the copy tells that something may be missing.
    await bucket.put('a.3', { n: 1 });

    await process.clock.advance(deletedKeptMs / 2 + 1);

    expect(await synced(process)).toEqual({ 'a.2': 1, 'a.3': 1 });
  });

  test('reads everything anew after the connection was lost', async () => {
    const process = await copying();
    await bucket.put('a.1', { n: 1 });
    await process.copy.sync();
    await process.clock.advance(1_000);
    const requests = requestsOf(process);
    await process.copy.sync();
    const quiet = requests();

    await server.restart();
    await eventually(() => process.copy.sync());

    expect(quiet).toBe(1);
    expect(requests()).toBeGreaterThan(1);
    expect(await synced(process)).toEqual({ 'a.1': 1 });
  });

  test('stays as it was while NATS is away', async () => {
    const process = await copying();
    await bucket.put('a.1', { n: 1 });
    await process.copy.sync();
    await server.kill();

    await expect(process.copy.sync()).rejects.toMatchObject({ code: 'nats' });
    expect(process.copy.lookup('a.1')).toMatchObject({ kind: 'found' });

    await server.startAgain();
    await eventually(() => process.copy.sync());
  });

  test('leaves out a record that cannot be understood, and says which', async () => {
    const process = await copying();
    const odd = await KvBucket.open(others, buckets.runners, z.unknown());
    await bucket.put('a.1', { n: 1 });
    await bucket.put('a.2', { n: 1 });
    await process.copy.sync();

    await odd.put('a.1', { n: 'one' });

    expect(await synced(process)).toEqual({ 'a.2': 1 });
    expect(process.lines.some((line) => JSON.stringify(line).includes('a.1'))).toBe(true);
  });

  test('all who ask while it is brought up to date share the next round', async () => {
    const process = await copying();
    await process.copy.sync();
    const requests = requestsOf(process);

    await Promise.all(Array.from({ length: 50 }, () => process.copy.sync()));

    expect(requests()).toBe(2);
  });

  test('has the bucket forget what was deleted long enough ago, and nothing else', async () => {
    const janitor = await server.connect('janitor');
    const copy = new KvCopy(await KvBucket.open(janitor, buckets.runners, schema), janitor, {
      deletedKeptMs,
    });
    await bucket.put('a.live', { n: 1 });
    for (const key of ['a.old', 'a.again', 'a.late']) await bucket.put(key, { n: 1 });
    for (const key of ['a.old', 'a.again']) {
      await bucket.delete(key, (await bucket.get(key))?.revision ?? 0);
    }
    const marked = await bucket.lookup('a.again');
    const before = marked.kind === 'deleted' ? marked.deletedAt : new Date(0);
    await eventually(() => expect(Date.now()).toBeGreaterThan(before.getTime()));
    await copy.sync();
    await bucket.create('a.again', { n: 2 });
    await bucket.delete('a.late', (await bucket.get('a.late'))?.revision ?? 0);
    await copy.sync();

    expect(await copy.forgetDeleted(before)).toBe(1);

    expect((await bucket.keys()).sort()).toEqual(['a.again', 'a.late', 'a.live']);
    expect((await bucket.get('a.again'))?.value).toEqual({ n: 2 });
    expect((await bucket.lookup('a.late')).kind).toBe('deleted');
    expect(copy.lookup('a.old')).toEqual({ kind: 'never' });
  });
});
