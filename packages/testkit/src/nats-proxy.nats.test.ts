import { openSessions, type SessionStore } from '@baton/shared/stores';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { aSessionRecord } from './builders.ts';
import { eventually } from './eventually.ts';
import { type NatsProxy, startNatsProxy } from './nats-proxy.ts';
import { startTestNats, type TestNats } from './test-nats.ts';

let server: TestNats;
let direct: SessionStore;
let keys = 0;
beforeAll(async () => {
  server = await startTestNats();
  direct = await openSessions(await server.connect('listener'));
});
afterAll(() => server[Symbol.asyncDispose]());

const record = aSessionRecord();
const isRecord = (subject: string) => subject.startsWith('$KV.baton-sessions.');

/** A proxy with one client behind it, and a key of its own. */
async function aClient() {
  const proxy = await startNatsProxy(server.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const nats = await server.connect('listener', { url: proxy.url });
  keys += 1;
  return { proxy, nats, sessions: await openSessions(nats), key: `set-${keys}` };
}

/** Answers on a subject of the client's, as long as its subscription reaches the server. */
async function answers(subject: string): Promise<boolean> {
  const { connection } = await server.connect('admin');
  return await connection.request(subject, undefined, { timeout: 300 }).then(
    () => true,
    () => false,
  );
}

describe('NatsProxy', () => {
  test('lets a client work as without it', async () => {
    const { proxy, sessions, key } = await aClient();

    const revision = await sessions.create(key, record);

    expect((await sessions.get(key))?.revision).toBe(revision);
    expect(await sessions.create(key, record)).toBeUndefined();
    expect(proxy.connections).toBe(1);
  });

  test('a partition stops both directions without an end of the connection', async () => {
    const { proxy, nats, sessions, key } = await aClient();
    nats.connection.subscribe(`baton.v1.live.${key}.a`, {
      callback: (_, probe) => void probe.respond(),
    });
    await nats.connection.flush();

    proxy.setMode({ kind: 'partition' });
    const writing = sessions.create(key, record);

    await expect(writing).rejects.toMatchObject({ code: 'nats' });
    expect(await answers(`baton.v1.live.${key}.a`)).toBe(false);
    expect(await direct.get(key)).toBeUndefined();
    expect(nats.connectedForMs()).toBeGreaterThan(0);
  });

  test('what was sent during a partition arrives when it is over', async () => {
    const { proxy, nats, sessions, key } = await aClient();
    proxy.setMode({ kind: 'partition' });
    await expect(sessions.create(key, record)).rejects.toThrow();
    await nats.connection.close();

    proxy.setMode({ kind: 'pass' });

    await eventually(async () => expect(await direct.get(key)).toBeDefined());
    await eventually(() => expect(proxy.connections).toBe(0));
  });

  test('a connection that is made during a partition is answered after it', async () => {
    const { proxy, key } = await aClient();
    proxy.setMode({ kind: 'partition' });
    const connecting = server.connect('listener', { url: proxy.url });
    await eventually(() => expect(proxy.connections).toBe(2));

    proxy.setMode({ kind: 'pass' });

    const sessions = await openSessions(await connecting);
    expect(await sessions.get(key)).toBeUndefined();
  });

  test('a reset ends the connection, and the client comes again', async () => {
    const { proxy, nats, sessions, key } = await aClient();

    proxy.reset();
    await eventually(() => expect(nats.connectedForMs()).toBe(0));

    await eventually(async () => expect(await sessions.get(key)).toBeUndefined());
    expect(proxy.connections).toBe(1);
  });

  test('a delay makes an exchange take twice as long', async () => {
    const { proxy, sessions, key } = await aClient();
    proxy.setMode({ kind: 'delay', delayMs: 100 });

    const startedAt = performance.now();
    await sessions.create(key, record);

    // Timers may fire a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(198);
  });

  test('a client is told when the server is gone, and reaches it when it is back', async () => {
    const own = await startTestNats();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const proxy = await startNatsProxy(own.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const nats = await own.connect('listener', { url: proxy.url });
    const sessions = await openSessions(nats);

    await own.kill();
    await eventually(() => expect(nats.connectedForMs()).toBe(0));
    await own.startAgain();

    await eventually(async () => expect(await sessions.get('none')).toBeUndefined());
  });
});

describe('a publish that is held', () => {
  const hold = (proxy: NatsProxy, when: 'before' | 'after-reply-withheld') =>
    proxy.holdNext({ match: isRecord, when });

  test('has not reached the server before, and reaches it when it goes on', async () => {
    const { proxy, sessions, key } = await aClient();
    const held = hold(proxy, 'before');
    const writing = sessions.create(key, record);

    const release = await held;
    const before = await direct.get(key);
    release('go on');
    const revision = await writing;

    expect(before).toBeUndefined();
    expect((await direct.get(key))?.revision).toBe(revision);
  });

  test('never reaches the server when its connection is cut', async () => {
    const { proxy, nats, sessions, key } = await aClient();
    const held = hold(proxy, 'before');
    const writing = sessions.create(key, record);

    (await held)('cut');
    await eventually(() => expect(nats.connectedForMs()).toBe(0));

    await expect(writing).rejects.toThrow();
    expect(await direct.get(key)).toBeUndefined();
  });

  test('is done when its answer is withheld, and the client cannot know', async () => {
    const { proxy, sessions, key } = await aClient();
    const held = hold(proxy, 'after-reply-withheld');
    let answered = false;
    const writing = sessions.create(key, record).finally(() => (answered = true));

    const release = await held;
    const stored = await direct.get(key);
    const before = answered;
    release('go on');

    expect(await writing).toBe(stored?.revision);
    expect(before).toBe(false);
  });

  test('is the only one: others pass, and so does the next', async () => {
    const { proxy, nats, sessions, key } = await aClient();
    const held = hold(proxy, 'before');
    await nats.connection.flush();

    const writing = sessions.create(key, record);
    (await held)('go on');
    await writing;

    expect(await sessions.create(`${key}-more`, record)).toBeDefined();
  });
});
