import { createServer, type ServerResponse } from 'node:http';
import { AppError, errorText } from '../errors/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { Health } from './health.ts';

interface ServerOptions {
  host: string;
  port: number;
  /** Shown on `/metrics`; without it there is no such path. */
  metrics?: Metrics;
}

/** A client that is slower than this with its request is cut off, in ms; and there are no more at once. */
const requestTimeoutMs = 10_000;
const mostConnections = 100;

/**
 * Serves `/livez` (the process turns; never depends on NATS or GitHub), `/readyz` (it does its work;
 * 503 with the reasons when not) and `/metrics` (for Prometheus). See docs/health.md.
 * @throws AppError `config` when the port is taken.
 */
export async function serveHealth(
  health: Health,
  { host, port, metrics }: ServerOptions,
): Promise<AsyncDisposable & { port: number }> {
  const limits = { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs };
  const server = createServer(limits, (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response);
    else if (path === '/livez') answerAlive(response, health);
    else if (path === '/readyz') answerReady(response, health);
    else if (path === '/metrics' && metrics) void answerMetrics(metrics, response);
    else answer(response, 404, { ok: false });
  });
  server.maxConnections = mostConnections;
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

function refuse(response: ServerResponse): void {
  response.setHeader('allow', 'GET, HEAD');
  answer(response, 405, { ok: false });
}

function answerAlive(response: ServerResponse, { wedged }: Health): void {
  const ok = Object.keys(wedged).length === 0;
  answer(response, ok ? 200 : 503, ok ? { ok } : { ok, wedged });
}

function answerReady(response: ServerResponse, { notReady, degraded }: Health): void {
  const ready = Object.keys(notReady).length === 0;
  const { wrongs, more } = degraded;
  const some = more > 0 ? { moreDegraded: more } : {};
  answer(response, ready ? 200 : 503, { ready, notReady, degraded: wrongs, ...some });
}

async function answerMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  try {
    const { answerScrape } = await import('../telemetry/prometheus.ts');
    await answerScrape(metrics, response);
  } catch (error) {
    if (!response.headersSent) answer(response, 500, { error: errorText(error) });
  }
}
