import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { RouteName } from '../core/fault-rule.ts';
import { refusals } from '../core/refusal.ts';

export interface SimRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Calls back when the client has gone before the answer. */
  onGone(callback: () => void): void;
}

export interface Reply {
  status: number;
  body?: string;
  contentType?: string;
  headers?: Record<string, string>;
}

export interface Route {
  /** Undefined for the simulator's own routes, which no fault touches. */
  name: RouteName | undefined;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Segments that begin with a colon are parameters. */
  pattern: string;
  handle: (request: SimRequest) => Reply | Promise<Reply>;
  /** The scale set's name, for faults that are limited to one. */
  scaleSet?: (request: SimRequest) => string | undefined;
}

export function json(value: unknown, status = 200): Reply {
  return { status, body: JSON.stringify(value), contentType: 'application/json; charset=utf-8' };
}

export function bearer(headers: IncomingHttpHeaders): string {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** What a caller shows, under either scheme. */
export function credentialOf(headers: IncomingHttpHeaders): string {
  return /^(?:Bearer|RemoteAuth) (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

export function param(request: SimRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`route without parameter ${name}`);
  return value;
}

/** The JSON body, checked; otherwise 400. */
export function readBody<T extends z.ZodType>(request: SimRequest, schema: T): z.output<T> {
  const parsed = schema.safeParse(parseJson(request.body));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw refusals.badRequest(where.join('; '));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw refusals.badRequest('The body is not JSON.');
  }
}
