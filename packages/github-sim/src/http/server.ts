import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Clock } from '@baton/shared/time';
import type { FaultAction } from '../core/fault-rule.ts';
import type { SimOptions } from '../core/options.ts';
import { Refusal, refusals } from '../core/refusal.ts';
import { Simulator } from '../core/simulator.ts';
import { agentRoutes } from './agent-routes.ts';
import { answer, answerSpoiled } from './answer.ts';
import { controlRoutes } from './control-routes.ts';
import { credentialOf, type Reply, type Route, type SimRequest } from './exchange.ts';
import { queueRoutes } from './queue-routes.ts';
import { restRoutes } from './rest-routes.ts';
import { type Match, Router } from './router.ts';
import { runnerRoutes } from './runner-routes.ts';
import { scaleSetRoutes } from './scale-set-routes.ts';
import { sessionRoutes } from './session-routes.ts';

interface ServerOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** What the simulator calls itself in the URLs it hands out; its own address by default. */
  publicUrl?: string | undefined;
  /** PEM texts: the certificate, with those in between, and its key. With them it speaks https. */
  tls?: { cert: string; key: string } | undefined;
  clock: Clock;
  options: SimOptions;
}

interface RunningSimulator {
  url: string;
  close(): Promise<void>;
}

/** Starts the simulator and resolves when it accepts requests. */
export async function startSimulator(given: ServerOptions): Promise<RunningSimulator> {
  const lasting = { keepAliveTimeout: 75_000, requestTimeout: 0 };
  const server = given.tls
    ? createSecureServer({ ...lasting, ...given.tls })
    : createServer(lasting);
  await listen(server, given.port, given.host);
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : given.port;
  const url = `${given.tls ? 'https' : 'http'}://${given.host}:${port}`;
  const baseUrl = (given.publicUrl ?? url).replace(/\/$/, '');
  const sim = new Simulator({ clock: given.clock, options: given.options, baseUrl });
  const router = new Router([
    ...restRoutes(sim),
    ...scaleSetRoutes(sim),
    ...sessionRoutes(sim),
    ...agentRoutes(sim),
    ...queueRoutes(sim),
    ...runnerRoutes(sim),
    ...controlRoutes(sim),
  ]);
  server.on('request', (request, response) => void serve(sim, router, { request, response }));
  return {
    url,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      sim.close();
      await new Promise((resolve) => setImmediate(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 4096 }, () => resolve());
  });
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

async function serve(sim: Simulator, router: Router, { request, response }: Exchange) {
  try {
    const url = new URL(request.url ?? '/', 'http://sim');
    const match = router.find(request.method ?? 'GET', url.pathname);
    const body = await readAll(request);
    if (!match) {
      answer(response, refusalReply(refusals.pageNotFound()));
      return;
    }
    const asked = requestFor(match, { url, request, response, body });
    await serveMatch(sim, match, { asked, response });
  } catch (error) {
    answer(response, refusalReply(error));
  }
}

async function serveMatch(
  sim: Simulator,
  { route }: Match,
  { asked, response }: { asked: SimRequest; response: ServerResponse },
): Promise<void> {
  if (route.name !== undefined && !response.destroyed)
    response.once('close', sim.traffic.begin(route.name));
  const fault =
    sim.faults.active && route.name !== undefined
      ? sim.faults.decide(route.name, () => route.scaleSet?.(asked))
      : undefined;
  const isDone = fault !== undefined && faultBefore(fault, response);
  // A fault that spoils the answer is felt when that is given: a poll may be held until then.
  if (fault && (isDone || !spoils(fault))) noteSpoiled(sim, route, asked, fault);
  if (isDone) return;
  if (fault?.kind === 'delay') await sim.clock.sleep(fault.ms, sim.stopped);
  const bom = sim.options.byteOrderMark && route.pattern.startsWith('/tenant/');
  const reply = await Promise.resolve(asked).then(route.handle).catch(refusalReply);
  if (fault?.kind === 'hang-after') return;
  if (fault && spoils(fault)) {
    noteSpoiled(sim, route, asked, fault);
    answerSpoiled(response, reply, fault);
  } else answer(response, reply, { byteOrderMark: bom });
}

function noteSpoiled(
  sim: Simulator,
  { name, scaleSet }: Route,
  request: SimRequest,
  fault: FaultAction,
): void {
  if (name === undefined) return;
  const { kind } = fault;
  const retryAfter = 'headers' in fault ? fault.headers['Retry-After'] : undefined;
  const by = sim.tokens.holderOf(credentialOf(request.headers));
  sim.journal.write(scaleSet?.(request) ?? '', 'spoiled', {
    by,
    route: name,
    fault: {
      kind,
      ...('status' in fault ? { status: fault.status } : {}),
      ...('ms' in fault ? { ms: fault.ms } : {}),
      ...(retryAfter === undefined ? {} : { retryAfterMs: Number(retryAfter) * 1_000 }),
    },
  });
}

/** Faults that replace the work. Whether the request is dealt with. */
function faultBefore(fault: FaultAction, response: ServerResponse): boolean {
  switch (fault.kind) {
    case 'status': {
      const { status, body, headers } = fault;
      const contentType = body.startsWith('{') ? 'application/json' : 'text/plain';
      answer(response, { status, body, contentType, headers });
      return true;
    }
    case 'empty200':
      answer(response, { status: 200 });
      return true;
    case 'hang':
      return true;
    case 'drop':
      if (fault.when === 'mid-body') return false;
      response.destroy();
      return true;
    case 'truncate':
    case 'stall':
    case 'hang-after':
    case 'delay':
      return false;
  }
}

function spoils(
  fault: FaultAction,
): fault is Extract<FaultAction, { kind: 'truncate' | 'drop' | 'stall' }> {
  return fault.kind === 'truncate' || fault.kind === 'drop' || fault.kind === 'stall';
}

function requestFor(
  { params }: Match,
  { url, request, response, body }: Exchange & { url: URL; body: string },
): SimRequest {
  return {
    params,
    query: url.searchParams,
    headers: request.headers,
    body,
    onGone: (callback) => {
      if (response.destroyed) callback();
      else response.once('close', callback);
    },
  };
}

function refusalReply(error: unknown): Reply {
  if (error instanceof Refusal) {
    return { status: error.status, body: error.body, contentType: error.contentType };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: 500, body: message, contentType: 'text/plain' };
}

async function readAll(request: IncomingMessage): Promise<string> {
  if (request.method === 'GET') return '';
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
