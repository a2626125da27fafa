import { createServer } from 'node:http';
import { AppError } from '../errors/index.ts';

/**
 * Named conditions. A process begins with `start`, which the service takes back when it does its work;
 * it is ready when no condition has a reason against it.
 */
export class Health {
  readonly #reasons = new Map<string, string>();

  /** Sets the reason why `part` is not ready; undefined when it is. */
  report(part: string, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(part);
    else this.#reasons.set(part, reason);
  }

  get notReady(): Record<string, string> {
    return Object.fromEntries(this.#reasons);
  }
}

/**
 * Serves `/livez` (the process runs; never depends on NATS or GitHub) and `/readyz` (it does its
 * work; 503 with the reasons when not).
 * @throws AppError `config` when the port is taken.
 */
export async function serveHealth(
  health: Health,
  { host, port }: { host: string; port: number },
): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const notReady = health.notReady;
    const ready = Object.keys(notReady).length === 0;
    const known = path === '/livez' || path === '/readyz';
    const ok = path === '/livez' || (path === '/readyz' && ready);
    response.writeHead(known ? (ok ? 200 : 503) : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(path === '/readyz' ? { ready, notReady } : { ok }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause: unknown) => {
    throw new AppError(
      'config',
      `health port ${host}:${port} cannot be opened: stop what uses it, or set BATON_HEALTH_PORT (0 takes any free port)`,
      { cause },
    );
  });
  const address = server.address();
  return {
    port: address && typeof address === 'object' ? address.port : port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
