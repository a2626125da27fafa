import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** What the conformance suite asks of a runner program. */
const program = `case $JIT in
  exit*) set -- $JIT; exit "$2" ;;
  stubborn*) trap '' TERM ;;
esac
while :; do sleep 0.1; done`;

const bodySchema = z.object({ tags: z.record(z.string(), z.string()), jitConfig: z.string() });

interface Running {
  machine: Record<string, unknown>;
  tags: Record<string, string>;
  child: ChildProcess;
}

/**
 * A real, tiny place: machines are processes, its API is HTTP on loopback. Stands for whatever the
 * provider will talk to; a test of a provider uses the real thing.
 */
export async function startTinyPlace(): Promise<{ url: string; stop: () => Promise<void> }> {
  const machines = new Map<string, Running>();
  const server = createServer((request, response) => {
    void answer(machines, request, response).catch(() => response.writeHead(500).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  const stop = async () => {
    await Promise.all([...machines.keys()].map((name) => remove(machines, name)));
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${address.port}`, stop };
}

async function answer(
  machines: Map<string, Running>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://place');
  const name = decodeURIComponent(pathname.split('/')[2] ?? '');
  if (request.method === 'PUT') {
    const { tags, jitConfig } = bodySchema.parse(await json(request));
    // Whoever breaks off now gets a machine all the same.
    await delay(4);
    if (!machines.has(name)) machines.set(name, start(name, tags, jitConfig));
    response.writeHead(201).end();
  } else if (request.method === 'DELETE') {
    await remove(machines, name);
    response.writeHead(204).end();
  } else {
    const found = [...machines.values()].filter(({ tags }) =>
      [...searchParams].every(([tag, value]) => tags[tag] === value),
    );
    response.end(JSON.stringify(found.map(({ machine }) => machine)));
  }
}

function start(name: string, tags: Record<string, string>, jitConfig: string): Running {
  const env = { PATH: '/usr/bin:/bin', JIT: jitConfig };
  const child = spawn('/bin/sh', ['-c', program], { stdio: 'ignore', env });
  const machine: Record<string, unknown> = {
    name,
    tags,
    createdAt: new Date().toISOString(),
    state: 'booting',
  };
  child.once('spawn', () => Object.assign(machine, { state: 'up' }));
  child.once('exit', (code) => {
    const exitCode = code ?? undefined;
    Object.assign(machine, { state: 'over', exitCode, exitedAt: new Date().toISOString() });
  });
  return { machine, tags, child };
}

async function remove(machines: Map<string, Running>, name: string): Promise<void> {
  const found = machines.get(name);
  if (!found) return;
  if (found.child.exitCode === null && found.child.signalCode === null) {
    const ended = once(found.child, 'exit');
    found.child.kill('SIGTERM');
    const killing = setTimeout(() => found.child.kill('SIGKILL'), 300);
    await ended;
    clearTimeout(killing);
  }
  if (machines.get(name) === found) machines.delete(name);
}
