import { once } from 'node:events';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Network } from './network.ts';
import { proxyFor } from './proxy.ts';

/** The proxy answered a CONNECT with something else than 200. */
class ProxyRefusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the proxy answered ${status}`);
    this.name = 'ProxyRefusal';
    this.status = status;
  }
}

/** A plain connection to the server of `url`, through the proxy that calls take. */
export async function openSocket(
  url: URL,
  { proxies, trust }: Network,
  signal: AbortSignal,
): Promise<Socket> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const proxy = proxyFor(url, proxies);
  if (!proxy) {
    const socket = connect({ host, port, signal });
    await once(socket, 'connect', { signal });
    return socket;
  }
  const via = new URL(proxy.reveal());
  const path = `${url.hostname}:${port}`;
  const send = via.protocol === 'https:' ? secureRequest : request;
  const asking = send({
    method: 'CONNECT',
    host: via.hostname.replace(/^\[|\]$/g, ''),
    port: via.port || (via.protocol === 'https:' ? 443 : 80),
    path,
    headers: { host: path, ...authorization(via) },
    signal,
    agent: false,
    ...(trust === undefined ? {} : { secureContext: trust }),
  });
  asking.end();
  return await new Promise((resolve, reject) => {
    asking.once('error', reject);
    asking.once('response', ({ statusCode = 0 }) => {
      asking.destroy();
      reject(new ProxyRefusal(statusCode));
    });
    asking.once('connect', ({ statusCode = 0 }, socket: Socket) => {
      if (statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new ProxyRefusal(statusCode));
    });
  });
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
