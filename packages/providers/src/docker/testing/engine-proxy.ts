import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import type { DockerEngine } from './docker-engine.ts';

/** A socket in front of an engine that lets calls through, but for those that are to be held. */
export interface EngineProxy extends AsyncDisposable {
  socket: string;
  /** Resolves when a call is held: it is never answered. */
  held: Promise<void>;
}

/** `holds` sees method and path, as in `POST /v1.41/containers/…/start`. */
export async function startEngineProxy(
  engine: DockerEngine,
  holds: (call: string) => boolean,
): Promise<EngineProxy> {
  const socket = join(engine.dir, `proxy-${process.hrtime.bigint()}.sock`);
  const held = Promise.withResolvers<void>();
  const server = createServer((incoming, answer) => {
    const { method, url: path, headers } = incoming;
    if (holds(`${method} ${path}`)) return held.resolve();
    const passed = request({ socketPath: engine.socket, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    incoming.pipe(passed);
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    held: held.promise,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close').catch(() => undefined);
    },
  };
}
