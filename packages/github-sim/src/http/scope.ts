import { createHash } from 'node:crypto';
import { refusals } from '../core/refusal.ts';

/** `orgs/acme`, `repos/acme/app` or `enterprises/acme` for the path of a config URL. */
export function scopeOfConfigUrl(configUrl: string): string {
  if (!URL.canParse(configUrl)) throw refusals.badRequest('The URL is not valid.');
  const [first, second, ...rest] = new URL(configUrl).pathname.split('/').filter(Boolean);
  if (first === undefined || rest.length > 0) throw refusals.restNotFound();
  if (second === undefined) return `orgs/${first.toLowerCase()}`;
  if (first === 'enterprises') return `enterprises/${second.toLowerCase()}`;
  return `repos/${first.toLowerCase()}/${second.toLowerCase()}`;
}

/** The part of a tenant URL that stands for a scope, opaque as the real one's. */
export function tenantOf(scope: string): string {
  return createHash('sha256').update(scope).digest('base64url').slice(0, 20);
}
