import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectEngine } from './engine-agent.ts';
import { EngineClient } from './engine-client.ts';

const { signal } = new AbortController();
const call = { method: 'GET', path: '/things' } as const;

/** An engine of these versions; everything but the question for them is answered by the listener. */
async function anEngine(listener: RequestListener, versions = { newest: '1.47', oldest: '1.24' }) {
  const dir = await mkdtemp(join(tmpdir(), 'baton-engine-client-'));
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    if (request.url !== '/version') return listener(request, response);
    const { newest: ApiVersion, oldest: MinAPIVersion } = versions;
    response.end(JSON.stringify({ ApiVersion, MinAPIVersion }));
  });
  server.listen(join(dir, 'socket'));
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true, force: true });
  });
  const client = new EngineClient(connectEngine({ socket: join(dir, 'socket') }));
  return { client, paths, server, socket: join(dir, 'socket') };
}

test.each([
  ['1.47', '1.24', '/v1.41/things'],
  ['1.41', '1.12', '/v1.41/things'],
  ['1.52', '1.44', '/v1.44/things'],
])('speaks to an engine of API %s, at least %s, by %s', async (newest, oldest, path) => {
  const engine = await anEngine((_, response) => response.end('[]'), { newest, oldest });

  await engine.client.call(call, signal);
  await engine.client.call(call, signal);

  expect(engine.paths).toEqual(['/version', path, path]);
});

test('refuses an engine that is too old', async () => {
  const versions = { newest: '1.39', oldest: '1.12' };
  const { client } = await anEngine((_, response) => response.end(), versions);

  await expect(client.call(call, signal)).rejects.toThrow('it speaks API 1.39; needed is 1.41');
});

test('an answer that breaks off is none', async () => {
  const { client } = await anEngine((_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('[{"a":1}', () => response.destroy());
  });

  await expect(client.call(call, signal)).rejects.toThrow('the Docker engine does not answer');
});

test('a stream gives what came before it broke off', async () => {
  const { client } = await anEngine((_, response) => {
    response.write('{"n":1}\n{"n":2}\n{"n"', () => setImmediate(() => response.destroy()));
  });
  const seen: unknown[] = [];

  const reading = (async () => {
    for await (const line of client.stream(call, signal)) seen.push(line);
  })();

  await expect(reading).rejects.toThrow('the Docker engine does not answer');
  expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
});

test('a call ends at once with the reason of its signal', async () => {
  const caller = new AbortController();
  const { client } = await anEngine(() => caller.abort(new Error('gave up')));

  await expect(client.call(call, caller.signal)).rejects.toThrow('gave up');
});

test('who stops reading a stream disturbs nobody', async () => {
  const caller = new AbortController();
  const { client } = await anEngine((_, response) => void response.write('{"n":1}\n'));

  for await (const line of client.stream(call, caller.signal)) {
    expect(line).toEqual({ n: 1 });
    break;
  }

  caller.abort(new Error('an error that nobody waits for'));
});

test('asks for the version again after the engine was away', async () => {
  const engine = await anEngine((request, response) => {
    if (engine.paths.length === 2) request.socket.destroy();
    else response.end('[]');
  });

  await expect(engine.client.call(call, signal)).rejects.toThrow('does not answer');
  await engine.client.call(call, signal);

  expect(engine.paths).toEqual(['/version', '/v1.41/things', '/version', '/v1.41/things']);
});
