import { captureLog, eventually, startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openLeases } from '../stores/index.ts';
import { systemClock } from '../time/index.ts';
import { LeaseStore } from './lease-store.ts';

/** Long enough for a call to run into its deadline while the server stands still. */
const ttlMs = 10_000;

let server: TestNats;
beforeAll(async () => {
  server = await startTestNats({ leaseTtlMs: ttlMs });
});
afterAll(() => server[Symbol.asyncDispose]());

async function aHolder(incarnation: string) {
  const { log } = captureLog();
  const bucket = await openLeases(await server.connect('listener'));
  const holder = { v: 1 as const, identity: 'listener-0', incarnation };
  const timing = { clock: systemClock, random: () => 1 };
  const renewals: string[] = [];
  const onRenewal = (outcome: string) => void renewals.push(outcome);
  const store = new LeaseStore({ bucket, holder, ttlMs, ...timing, log, onRenewal });
  return Object.assign(store, { renewals });
}

describe('a renewal whose answer was lost', () => {
  test('is read back: the lease is held on, and can be released', async () => {
    const [a, b] = await Promise.all([aHolder('a'), aHolder('b')]);
    const lease = await a.tryAcquire('read-back');
    const before = (await b.read('read-back'))?.revision ?? 0;

    await server.freeze();
    const renewing = lease?.renew();
    await expect(renewing).rejects.toMatchObject({ code: 'nats' });
    server.thaw();
    const landed = await eventually(async () => {
      const revision = (await b.read('read-back'))?.revision ?? 0;
      expect(revision).toBeGreaterThan(before);
      return revision;
    });
    await lease?.renew();

    expect((await b.read('read-back'))?.revision).toBeGreaterThan(landed);
    expect(lease?.signal.aborted).toBe(false);
    expect([a.renewals.at(0), a.renewals.at(-1)]).toEqual(['unconfirmed', 'confirmed']);
    await lease?.release();
    expect(await b.read('read-back')).toBeUndefined();
  });

  test('does not keep the lease from being released', async () => {
    const [a, b] = await Promise.all([aHolder('a'), aHolder('b')]);
    const lease = await a.tryAcquire('release');
    const before = (await b.read('release'))?.revision ?? 0;
    onTestFinished(() => server.thaw());

    await server.freeze();
    await expect(lease?.renew()).rejects.toMatchObject({ code: 'nats' });
    server.thaw();
    await eventually(async () => {
      expect((await b.read('release'))?.revision).toBeGreaterThan(before);
    });
    await lease?.release();

    expect(await b.read('release')).toBeUndefined();
  });

  test('does not cost the lease when the server was killed and started again', async () => {
    const [a, b] = await Promise.all([aHolder('a'), aHolder('b')]);
    const lease = await a.tryAcquire('restart');

    await server.kill();
    const renewing = lease?.renew();
    await server.startAgain();
    await expect(renewing).rejects.toMatchObject({ code: 'nats' });
    await lease?.renew();

    expect(lease?.signal.aborted).toBe(false);
    expect(await b.tryAcquire('restart')).toBeUndefined();
    await lease?.release();
  });
});
