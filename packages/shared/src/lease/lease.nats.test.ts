import { captureLog, eventually, recordSpans, startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openLeases } from '../stores/index.ts';
import { type Clock, systemClock } from '../time/index.ts';
import type { Lease } from './lease.ts';
import { LeaseStore } from './lease-store.ts';

const ttlMs = 1_500;

let server: TestNats;
let key: string;
let keys = 0;
beforeAll(async () => {
  server = await startTestNats({ leaseTtlMs: ttlMs });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  keys += 1;
  key = `set-${keys}`;
});

/** A process that wants the lease, with a connection of its own. */
async function aContender(incarnation: string, clock: Clock = systemClock) {
  const { log, messages } = captureLog();
  const bucket = await openLeases(await server.connect('listener'));
  const holder = { v: 1 as const, identity: 'listener-0', incarnation };
  const renewals: string[] = [];
  const onRenewal = (outcome: string) => void renewals.push(outcome);
  const random = () => 1;
  const store = new LeaseStore({ bucket, holder, ttlMs, clock, random, log, onRenewal });
  return { store, messages, renewals };
}

/** Takes the lease, which ends with the test. */
async function acquire(store: LeaseStore): Promise<Lease> {
  const lease = await store.tryAcquire(key);
  if (!lease) throw new Error('somebody else holds the lease');
  onTestFinished(() => lease.release());
  return lease;
}

const aborted = (signal: AbortSignal) =>
  new Promise<number>((resolve) => {
    if (signal.aborted) resolve(performance.now());
    else signal.addEventListener('abort', () => resolve(performance.now()), { once: true });
  });

describe('Lease', () => {
  test('one who holds it keeps it for longer than its TTL, and nobody else gets it', async () => {
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);
    const acquiredAt = performance.now();

    const stolen: unknown[] = [];
    while (performance.now() - acquiredAt < ttlMs * 1.5) stolen.push(await b.store.tryAcquire(key));

    expect(stolen.filter((other) => other !== undefined)).toEqual([]);
    expect(lease.signal.aborted).toBe(false);
    expect((await b.store.read(key))?.value).toMatchObject({ incarnation: 'a' });
  });

  test('tells how each renewal came out, and a span of those that fail only', async () => {
    using spans = recordSpans();
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);
    await lease.renew();
    expect(new Set(a.renewals)).toEqual(new Set(['confirmed']));
    expect(spans.told).toEqual([]);

    const { revision = 0 } = (await b.store.read(key)) ?? {};
    await b.store.break(key, revision);
    const failing = lease.renew();

    await expect(failing).rejects.toMatchObject({ code: 'conflict' });
    expect(a.renewals.at(-1)).toBe('lost');
    expect(spans.named('renew lease')).toMatchObject([
      { attributes: { 'baton.lease.name': key }, error: { code: 'conflict' } },
    ]);
  });

  test('of many that want it at once, one gets it', async () => {
    const contenders = await Promise.all(['a', 'b', 'c', 'd'].map((name) => aContender(name)));

    const taken = await Promise.all(contenders.map(({ store }) => store.tryAcquire(key)));

    const holders = taken.filter((lease) => lease !== undefined);
    expect(holders).toHaveLength(1);
    await holders[0]?.release();
  });

  test('a released lease can be had at once', async () => {
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);

    await lease.release();
    const next = await acquire(b.store);

    expect(lease.signal.aborted).toBe(true);
    expect(next.signal.aborted).toBe(false);
    await expect(lease.renew()).rejects.toThrow('released');
  });

  test('a renewal moves the revision, so that what was read before cannot be broken', async () => {
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);
    const before = (await b.store.read(key))?.revision ?? 0;

    await lease.renew();
    const broken = await b.store.break(key, before);

    expect(broken).toBe(false);
    expect(lease.signal.aborted).toBe(false);
  });

  test('renewals that are asked for at once are one', async () => {
    const a = await aContender('a');
    const lease = await acquire(a.store);
    const before = (await a.store.read(key))?.revision ?? 0;

    await Promise.all(Array.from({ length: 10 }, () => lease.renew()));

    const revision = (await a.store.read(key))?.revision ?? 0;
    expect(revision - before).toBeLessThanOrEqual(2);
    expect(revision).toBeGreaterThan(before);
  });

  test('is lost when another has broken it', async () => {
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);
    const { revision = 0 } = (await b.store.read(key)) ?? {};

    const broken = await b.store.break(key, revision);
    await acquire(b.store);

    expect(broken).toBe(true);
    await expect(lease.renew()).rejects.toThrow('lease lost: another process holds it');
    expect(lease.signal.aborted).toBe(true);
    expect((await b.store.read(key))?.value).toMatchObject({ incarnation: 'b' });
  });

  test('finds out by itself that it was broken', async () => {
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);
    const { revision = 0 } = (await b.store.read(key)) ?? {};

    await b.store.break(key, revision);

    await eventually(() => expect(lease.signal.aborted).toBe(true), { timeoutMs: ttlMs });
    expect(a.messages).toEqual(['lease lost']);
  });

  test('an earlier process of the same identity does not hold it', async () => {
    const [earlier, later] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(earlier.store);
    const { revision = 0 } = (await later.store.read(key)) ?? {};

    await later.store.break(key, revision);
    await acquire(later.store);

    await expect(lease.renew()).rejects.toThrow('another process holds it');
  });

  test('is given up before anybody else can have it when the server is away', async () => {
    const [a, b] = await Promise.all([aContender('a'), aContender('b')]);
    const lease = await acquire(a.store);
    await lease.renew();
    const renewedAt = performance.now();
    const lost = aborted(lease.signal);

    await server.kill();
    const lostAt = await lost;
    await server.startAgain();
    const next = await eventually(() => acquire(b.store), { timeoutMs: 10_000 });

    expect(lostAt - renewedAt).toBeLessThan(ttlMs);
    expect(next.signal.aborted).toBe(false);
    expect(a.messages).toContain('lease lost');
  });

  test.each([
    ['forwards', 5_000],
    ['backwards', -5_000],
  ])('is lost when the wall clock jumped %s: the machine was suspended', async (_how, byMs) => {
    let jumpMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + jumpMs };
    const a = await aContender('a', clock);
    const lease = await acquire(a.store);

    jumpMs = byMs;

    await expect(lease.renew()).rejects.toThrow(/lease lost: the clock jumped by \d+ ms/);
    expect(lease.signal.aborted).toBe(true);
  });

  test('is not lost by a small correction of the clock', async () => {
    let jumpMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + jumpMs };
    const a = await aContender('a', clock);
    const lease = await acquire(a.store);

    jumpMs = 900;
    await lease.renew();

    expect(lease.signal.aborted).toBe(false);
  });
});
