import { describe, expect, onTestFinished, test } from 'vitest';
import { Health } from './health.ts';
import { serveHealth } from './health-server.ts';

async function setUp() {
  const health = new Health();
  const server = await serveHealth(health, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: answer.status, body: (await answer.json()) as unknown };
  };
  return { health, server, ask };
}

describe('serveHealth', () => {
  test('is ready when no part has a reason against it', async () => {
    const { health, ask } = await setUp();
    health.report('nats', 'is away');
    health.report('topology', 'bucket missing');
    const before = await ask('/readyz');

    health.report('nats', undefined);
    health.report('topology', undefined);
    const after = await ask('/readyz?verbose');

    expect(before).toEqual({
      status: 503,
      body: {
        ready: false,
        notReady: { nats: 'is away', topology: 'bucket missing' },
        degraded: {},
      },
    });
    expect(after).toEqual({ status: 200, body: { ready: true, notReady: {}, degraded: {} } });
  });

  test('is alive whatever is not ready', async () => {
    const { health, ask } = await setUp();
    health.report('nats', 'is away');

    expect(await ask('/livez')).toEqual({ status: 200, body: { ok: true } });
  });

  test('tells what is degraded and stays ready, some tens of many, each in some hundred characters', async () => {
    const { health, ask } = await setUp();
    const many = Array.from({ length: 60 }, (_, n) => [`set-${n}`, 'x'.repeat(2_000)] as const);
    health.watchDegraded('consumer', () => undefined);
    const end = health.watchDegraded('scale set', () => many);

    const during = await ask('/readyz');
    end();
    const after = await ask('/readyz');

    expect(during).toMatchObject({ status: 200, body: { ready: true, moreDegraded: 10 } });
    expect(during.body).toHaveProperty(['degraded', 'scale set set-0'], 'x'.repeat(500));
    expect(after.body).toEqual({ ready: true, notReady: {}, degraded: {} });
  });

  test('is alive until a part says that only a restart mends it', async () => {
    const { health, ask } = await setUp();
    const wedged: { text: string | undefined } = { text: undefined };
    health.watchWedged('pass over runners', () => wedged.text);
    const before = await ask('/livez');

    wedged.text = 'has not ended for 900 s';

    expect(before.status).toBe(200);
    expect(await ask('/livez')).toEqual({
      status: 503,
      body: { ok: false, wedged: { 'pass over runners': 'has not ended for 900 s' } },
    });
  });

  test('is looked at, and nothing else', async () => {
    const { server } = await setUp();
    const send = async (method: string) =>
      await fetch(`http://127.0.0.1:${server.port}/readyz`, { method });

    const [head, post] = [await send('HEAD'), await send('POST')];

    expect([head.status, await head.text()]).toEqual([200, '']);
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('knows no other path', async () => {
    const { ask } = await setUp();

    expect((await ask('/')).status).toBe(404);
  });

  test('says what to do when its port is taken', async () => {
    const { server } = await setUp();

    const second = serveHealth(new Health(), { host: '127.0.0.1', port: server.port });

    await expect(second).rejects.toMatchObject({ code: 'config' });
    await expect(second).rejects.toThrow('set BATON_HEALTH_PORT');
  });
});
