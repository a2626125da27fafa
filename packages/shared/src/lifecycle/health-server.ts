import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AppError, errorText } from '../errors/index.ts';
import type { Metrics } from '../telemetry/index.ts';

/**
 * Named conditions. A process begins with `start`, which is taken back when the service does its work;
 * it is ready when no condition has a reason against it.
 */
export class Health {
  readonly #reasons = new Map<string, string>();
  readonly #checks = new Map<string, () => string | undefined>();

  /** Sets the reason why `part` is not ready; undefined when it is. */
  report(part: string, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(part);
    else this.#reasons.set(part, reason);
  }

  /** Asks `check` whenever somebody asks: the reason why `part` is not ready, or undefined. */
  watch(part: string, check: () => string | undefined): void {
    this.#checks.set(part, check);
  }

  get notReady(): Record<string, string> {
    const asked = [...this.#checks].flatMap(([part, check]) => {
      const reason = check();
      return reason === undefined ? [] : [[part, reason] as const];
    });
    return Object.fromEntries([...this.#reasons, ...asked]);
  }
}

interface ServerOptions {
  host: string;
  port: number;
  /** Shown on `/metrics`; without it there is no such path. */
  metrics?: Metrics;
}

/**
 * Serves `/livez` (the process runs; never depends on NATS or GitHub), `/readyz` (it does its work;
 * 503 with the reasons when not) and `/metrics` (for Prometheus).
 * @throws AppError `config` when the port is taken.
 */
export async function serveHealth(
  health: Health,
  { host, port, metrics }: ServerOptions,
): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/livez') answer(response, 200, { ok: true });
    else if (path === '/readyz') answerReady(response, health.notReady);
    else if (path === '/metrics' && metrics) void answerMetrics(metrics, request, response);
    else answer(response, 404, { ok: false });
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

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function answerReady(response: ServerResponse, notReady: Record<string, string>): void {
  const ready = Object.keys(notReady).length === 0;
  answer(response, ready ? 200 : 503, { ready, notReady });
}

async function answerMetrics(
  metrics: Metrics,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { answerScrape } = await import('../telemetry/prometheus.ts');
    answerScrape(metrics, request, response);
  } catch (error) {
    if (!response.headersSent) answer(response, 500, { error: errorText(error) });
  }
}
