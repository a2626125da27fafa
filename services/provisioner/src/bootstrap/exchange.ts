import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a handler is asked. */
export interface BootstrapCall {
  method: string;
  /** Without the query and without a slash at the end. */
  path: string;
  query: URLSearchParams;
  /** Of the Authorization header; undefined without one. */
  token: string | undefined;
  body: Buffer;
}

export interface BootstrapReply {
  status: number;
  /** Text is sent as it is, anything else as JSON. */
  body: unknown;
}

/** Largest body that is read, in bytes. */
const maxBodyBytes = 16 * 1024;

/** An answer that refuses, in the form that the clients of the protocol read. */
export function refusal(status: number, error: string, details: string): BootstrapReply {
  return { status, body: { error, details } };
}

/** The call of a request; undefined when its body is too large. */
export async function readCall(request: IncomingMessage): Promise<BootstrapCall | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const [, token] = /^Bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return {
    method: request.method ?? '',
    path: path.replace(/\/+$/, ''),
    query: new URLSearchParams(query),
    token,
    body: Buffer.concat(chunks),
  };
}

export function sendReply(response: ServerResponse, { status, body }: BootstrapReply): void {
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
    'cache-control': 'no-store',
  });
  response.end(isText ? body : JSON.stringify(body));
}
