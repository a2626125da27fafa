import { captureLog, eventually, startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../config/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { systemClock } from '../time/index.ts';
import { connectNats } from './connect.ts';

let server: TestNats;
beforeAll(async () => {
  server = await startTestNats({ withTopology: false });
});
afterAll(() => server[Symbol.asyncDispose]());

const settings = () => ({
  natsUrl: server.url,
  natsUser: 'listener',
  natsPassword: new Secret('password-of-listener'),
  natsConnectTimeoutMs: 5_000,
  name: 'test',
  log: silentLogger(),
  clock: systemClock,
});

describe('connectNats', () => {
  test('does not try again what the server refused, and does not say the password', async () => {
    const natsPassword = new Secret('wrong-password');
    const startedAt = performance.now();

    const connecting = connectNats({ ...settings(), natsPassword });

    await expect(connecting).rejects.toMatchObject({ code: 'nats' });
    await expect(connecting).rejects.toThrow('refused user "listener": check BATON_NATS_USER');
    await expect(connecting).rejects.not.toThrow('wrong-password');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('gives up a server that cannot be reached when its time is over', async () => {
    const { log, messages } = captureLog();
    const nobody = { natsUrl: 'nats://127.0.0.1:1', natsConnectTimeoutMs: 700, log };

    const connecting = connectNats({ ...settings(), ...nobody });

    await expect(connecting).rejects.toMatchObject({ code: 'nats' });
    await expect(connecting).rejects.toThrow(
      'NATS at nats://127.0.0.1:1 cannot be reached: start nats-server there, or set BATON_NATS_URL',
    );
    expect(messages).toContain('nats is not reachable yet');
  });

  test('stops waiting for a server when it is called off', async () => {
    const caller = new AbortController();
    const reason = new Error('never mind');

    const connecting = connectNats({
      ...settings(),
      natsUrl: 'nats://127.0.0.1:1',
      natsConnectTimeoutMs: 60_000,
      signal: caller.signal,
    });
    caller.abort(reason);

    await expect(connecting).rejects.toBe(reason);
  });

  test('waits for a server that is not up yet', async () => {
    await server.kill();

    const connecting = connectNats(settings());
    await server.startAgain();

    await using nats = await connecting;
    expect(nats.connection.isClosed()).toBe(false);
  });

  test('knows how long it has been up, through a loss of the connection', async () => {
    const { log, messages } = captureLog();
    await using nats = await connectNats({ ...settings(), log });
    await eventually(() => expect(nats.connectedForMs()).toBeGreaterThan(100));

    await server.kill();
    await eventually(() => expect(nats.connectedForMs()).toBe(0));
    const backAt = performance.now();
    await server.startAgain();
    await eventually(() => expect(nats.connectedForMs()).toBeGreaterThan(0));

    expect(nats.connectedForMs()).toBeLessThanOrEqual(performance.now() - backAt);
    await nats.connection.flush();
    expect(messages).toEqual(['nats connection lost', 'nats connection is back']);
  });
});
