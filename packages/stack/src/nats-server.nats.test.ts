import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findNatsServer, type NatsServer, startNatsServer } from './nats-server.ts';

let storeDir: string;
let bin: string;
const started: NatsServer[] = [];

beforeEach(async () => {
  storeDir = await mkdtemp(join(tmpdir(), 'baton-nats-'));
  // biome-ignore lint/style/noProcessEnv: the launcher says here where it found the program
  bin = await findNatsServer(process.env);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.kill()));
  await rm(storeDir, { recursive: true, force: true });
});

test('starts with JetStream on a free port', async () => {
  const server = await start();

  const info = await greeting(portOf(server));

  expect(server.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(info).toMatchObject({ version: server.version, jetstream: true });
});

test('stop and kill wait for the exit, and may be called again', async () => {
  const [stopped, killed] = await Promise.all([start(), start(join(storeDir, 'second'))]);

  await stopped.stop();
  await killed.kill();
  await Promise.all([stopped.stop(), killed.kill()]);

  expect(isAlive(stopped.pid)).toBe(false);
  expect(isAlive(killed.pid)).toBe(false);
});

test('comes back on the same port and store after a SIGKILL', async () => {
  const first = await start();
  const port = portOf(first);
  await first.kill();

  const second = await startNatsServer({ bin, storeDir, port });
  started.push(second);

  expect(second.url).toBe(first.url);
  expect(await greeting(port)).toMatchObject({ jetstream: true });
});

test('takes address and port from a configuration file', async () => {
  const configFile = join(storeDir, 'nats.conf');
  await writeFile(configFile, 'listen: "127.0.0.1:-1"\nserver_name: "configured"\n');

  const server = await startNatsServer({ bin, storeDir, configFile });
  started.push(server);

  expect(await greeting(portOf(server))).toMatchObject({
    server_name: 'configured',
    jetstream: true,
  });
});

test('says with the words of the log why a start failed, and leaves nothing', async () => {
  const first = await start();
  const other = join(storeDir, 'other');

  const starting = startNatsServer({ bin, storeDir: other, port: portOf(first) });

  await expect(starting).rejects.toThrow(/ended with code 1 before.*address already in use/s);
});

test('says so when the program cannot be run', async () => {
  const starting = startNatsServer({ bin: join(storeDir, 'nothing'), storeDir });

  await expect(starting).rejects.toMatchObject({ code: 'nats' });
  await expect(starting).rejects.toThrow('cannot be run');
});

test('a start that is called off leaves nothing', async () => {
  const caller = new AbortController();

  const starting = startNatsServer({ bin, storeDir, signal: caller.signal });
  caller.abort(new Error('never mind'));

  await expect(starting).rejects.toThrow('never mind');
});

test('appends to its log file', async () => {
  const logFile = join(storeDir, 'nats.log');
  await writeFile(logFile, 'earlier\n');
  const server = await startNatsServer({ bin, storeDir, logFile });
  await server.stop();

  await expect
    .poll(() => readFile(logFile, 'utf8'))
    .toMatch(/^earlier\n.*Server is ready.*Exiting/s);
});

test('finds the program in NATS_SERVER_BIN before the PATH', async () => {
  expect(await findNatsServer({ NATS_SERVER_BIN: '/bin/sh', PATH: '/usr/sbin' })).toBe('/bin/sh');
  await expect(findNatsServer({ NATS_SERVER_BIN: '/no/such' })).rejects.toThrow(ConfigError);
});

async function start(directory = storeDir): Promise<NatsServer> {
  const server = await startNatsServer({ bin, storeDir: directory });
  started.push(server);
  return server;
}

function portOf({ url }: NatsServer): number {
  return Number(new URL(url).port);
}

/** The INFO line with which a server greets every client. */
async function greeting(port: number): Promise<unknown> {
  const socket = createConnection(port, '127.0.0.1');
  for await (const chunk of socket) {
    socket.destroy();
    return JSON.parse(String(chunk).replace(/^INFO /, ''));
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
