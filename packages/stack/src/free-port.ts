import { once } from 'node:events';
import { createServer } from 'node:net';

/** A TCP port of this host that nobody listened on a moment ago, for what must know it beforehand. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (!address || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
