import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';

interface ProxyOptions {
  /** Who may use it, by Basic authentication. Default: everybody. */
  login?: { user: string; password: string };
  /** Where names lead that no name server knows: `host:port` to a port of 127.0.0.1. */
  routes?: Readonly<Record<string, number>>;
}

/** A tunnel that a client asked for. */
interface AskedTunnel {
  /** `host:port`. */
  target: string;
  status: number;
}

/**
 * A strict HTTP proxy on 127.0.0.1 that only tunnels: CONNECT to the targets it has a route for.
 * Other requests get 405, other targets 403, a wrong login 407.
 */
export interface ConnectProxy extends AsyncDisposable {
  /** Without a login. */
  readonly url: string;
  /** Every CONNECT so far. */
  readonly asked: readonly AskedTunnel[];
  /** How many tunnels are open. */
  readonly open: number;
}

export async function startConnectProxy(options: ProxyOptions = {}): Promise<ConnectProxy> {
  const { login, routes = {} } = options;
  const asked: AskedTunnel[] = [];
  const sockets = new Set<Socket>();
  let open = 0;
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => client.destroy());
    const target = request.url ?? '';
    const port = routes[target];
    const status = statusFor(request, login, port);
    asked.push({ target, status });
    if (status !== 200 || port === undefined) {
      client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    const server = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.write(head);
      server.pipe(client).pipe(server);
    });
    open += 1;
    server.once('close', () => {
      open -= 1;
      client.destroy();
    });
    server.on('error', () => client.destroy());
    client.once('close', () => server.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    get open() {
      return open;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function statusFor(
  { headers }: IncomingMessage,
  login: ProxyOptions['login'],
  port: number | undefined,
): number {
  const expected = login && `${login.user}:${login.password}`;
  const given = /^Basic (\S+)$/.exec(headers['proxy-authorization'] ?? '')?.[1] ?? '';
  if (expected !== undefined && Buffer.from(given, 'base64').toString() !== expected) return 407;
  return port === undefined ? 403 : 200;
}
