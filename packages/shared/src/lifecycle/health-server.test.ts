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
      body: { ready: false, notReady: { nats: 'is away', topology: 'bucket missing' } },
    });
    expect(after).toEqual({ status: 200, body: { ready: true, notReady: {} } });
  });

  test('is alive whatever is not ready', async () => {
    const { health, ask } = await setUp();
    health.report('nats', 'is away');

    expect(await ask('/livez')).toEqual({ status: 200, body: { ok: true } });
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
