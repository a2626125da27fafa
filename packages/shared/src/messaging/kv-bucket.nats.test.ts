import { startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buckets } from '../contracts/index.ts';
import type { Nats } from './connect.ts';
import { KvBucket } from './kv-bucket.ts';

const schema = z.looseObject({ n: z.int() });
type TestBucket = KvBucket<typeof schema>;

let server: TestNats;
let cli: Nats;
let bucket: TestBucket;
beforeAll(async () => {
  server = await startTestNats();
  cli = await server.connect('admin');
  bucket = await KvBucket.open(cli, buckets.plans, schema);
});
afterAll(() => server[Symbol.asyncDispose]());

describe('KvBucket', () => {
  test('creates a key that holds nothing, once', async () => {
    const first = await bucket.create('create', { n: 1 });
    const second = await bucket.create('create', { n: 2 });

    expect(second).toBeUndefined();
    expect(await bucket.get('create')).toMatchObject({
      key: 'create',
      value: { n: 1 },
      revision: first,
    });
  });

  test('creates over a deleted key, where createFirst does not', async () => {
    const revision = (await bucket.createFirst('again', { n: 1 })) ?? 0;
    await bucket.delete('again', revision);

    const refused = await bucket.createFirst('again', { n: 2 });
    const created = await bucket.create('again', { n: 3 });

    expect(refused).toBeUndefined();
    expect(created).toBeGreaterThan(revision);
    expect((await bucket.get('again'))?.value).toEqual({ n: 3 });
  });

  test('forgets that a key was deleted, and not what was written later', async () => {
    for (const key of ['forget.old', 'forget.again']) {
      await bucket.delete(key, await bucket.put(key, { n: 1 }));
    }
    const old = await bucket.lookup('forget.old');
    const again = await bucket.lookup('forget.again');
    await bucket.create('forget.again', { n: 2 });

    for (const found of [old, again]) {
      if (found.kind === 'deleted') await bucket.forget(found.key, found.revision);
    }

    expect(await bucket.keys('forget')).toEqual(['forget.again']);
    expect((await bucket.lookup('forget.old')).kind).toBe('never');
  });

  test('createFirst refuses a key that holds a value', async () => {
    await bucket.create('held', { n: 1 });

    expect(await bucket.createFirst('held', { n: 2 })).toBeUndefined();
    expect((await bucket.get('held'))?.value).toEqual({ n: 1 });
  });

  test('of many that create a key at once, one does', async () => {
    const revisions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => bucket.create('race', { n })),
    );

    expect(revisions.filter((revision) => revision !== undefined)).toHaveLength(1);
  });

  test('updates at the revision that was read, and not at an older one', async () => {
    const first = (await bucket.create('update', { n: 1 })) ?? 0;

    const second = await bucket.update('update', { n: 2 }, first);
    const late = await bucket.update('update', { n: 3 }, first);

    expect(second).toBeGreaterThan(first);
    expect(late).toBeUndefined();
    expect((await bucket.get('update'))?.value).toEqual({ n: 2 });
  });

  test('does not bring a deleted key back by an update', async () => {
    const revision = (await bucket.create('gone', { n: 1 })) ?? 0;
    await bucket.delete('gone', revision);

    expect(await bucket.update('gone', { n: 2 }, revision)).toBeUndefined();
    expect(await bucket.get('gone')).toBeUndefined();
  });

  test('deletes at the revision that was read, and not at an older one', async () => {
    const first = (await bucket.create('delete', { n: 1 })) ?? 0;
    const second = (await bucket.update('delete', { n: 2 }, first)) ?? 0;

    const late = await bucket.delete('delete', first);
    const deleted = await bucket.delete('delete', second);

    expect(late).toBe(false);
    expect(deleted).toBe(true);
    expect(await bucket.get('delete')).toBeUndefined();
  });

  test('tells a key that never was from one that was deleted', async () => {
    const revision = (await bucket.create('was', { n: 1 })) ?? 0;
    await bucket.delete('was', revision);

    const never = await bucket.lookup('never');
    const deleted = await bucket.lookup('was');

    expect(never).toEqual({ kind: 'never' });
    expect(deleted).toMatchObject({ kind: 'deleted' });
  });

  test('finds the keys under a prefix, whole tokens only', async () => {
    for (const key of ['linux.a', 'linux.b', 'linux-2.a', 'linux']) await bucket.put(key, { n: 1 });

    expect((await bucket.keys('linux')).sort()).toEqual(['linux.a', 'linux.b']);
    expect(await bucket.keys()).toEqual(expect.arrayContaining(['linux', 'linux-2.a', 'linux.a']));
    expect(await bucket.keys('nothing')).toEqual([]);
  });

  test('lists the values under a prefix and leaves out what was deleted', async () => {
    const revision = (await bucket.create('list.dead', { n: 0 })) ?? 0;
    await bucket.delete('list.dead', revision);
    const numbers = Array.from({ length: 150 }, (_, n) => n);
    await Promise.all(numbers.map((n) => bucket.put(`list.${n}`, { n })));

    const listed = await bucket.list('list');

    expect(listed.map(({ value }) => value.n).sort((a, b) => a - b)).toEqual(numbers);
  });

  test('leaves no consumer behind when it lists', async () => {
    for (let n = 0; n < 5; n += 1) await bucket.list('list');

    const jsm = await cli.connection.jetstreamManager();
    const info = await jsm.streams.info(`KV_${buckets.plans}`);
    expect(info.state.consumer_count).toBe(0);
  });

  test('keeps fields that its schema does not know', async () => {
    await bucket.put('newer', { n: 1, later: { version: 2 } });

    expect((await bucket.get('newer'))?.value).toEqual({ n: 1, later: { version: 2 } });
  });

  test('says which record it cannot understand', async () => {
    const other = await KvBucket.open(cli, buckets.plans, z.unknown());
    await other.put('broken', { n: 'one' });

    const reading = bucket.get('broken');

    await expect(reading).rejects.toMatchObject({ code: 'contract' });
    await expect(reading).rejects.toThrow(`record broken in bucket ${buckets.plans}`);
  });

  test('says how long ago by the clock of the server', async () => {
    const before = Date.now();
    await bucket.put('clock', { n: 1 });

    const entry = await bucket.get('clock');

    expect(Math.abs((entry?.writtenAt.getTime() ?? 0) - before)).toBeLessThan(1_000);
  });

  test('does not make a bucket that is missing', async () => {
    const missing = await KvBucket.open(cli, 'baton-nothing', schema);

    await expect(missing.put('a', { n: 1 })).rejects.toMatchObject({ code: 'nats' });
    const jsm = await cli.connection.jetstreamManager();
    await expect(jsm.streams.info('KV_baton-nothing')).rejects.toThrow('not found');
  });
});
