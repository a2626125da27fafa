import { refusals } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import { bearer, param, type Reply, type Route, type SimRequest } from './exchange.ts';
import { tenantOf } from './scope.ts';

interface ServiceRoute {
  name: NonNullable<Route['name']>;
  method: Route['method'];
  /** Behind the tenant's `_apis/`. */
  path: string;
  /** Which token it takes; an admin JWT unless told otherwise. */
  token?: 'queue';
  handle: (scope: string, request: SimRequest) => Reply;
}

/** A route of the Actions service: api-version, content type and token are checked first. */
export function serviceRoute(sim: Simulator, route: ServiceRoute): Route {
  return {
    name: route.name,
    method: route.method,
    pattern: `/tenant/:tenant/_apis/${route.path}`,
    scaleSet: ({ params }) => sim.scaleSets.all().find(({ id }) => String(id) === params.id)?.name,
    handle: (request) => {
      const scope = route.token === 'queue' ? queueScope(sim, request) : adminScope(sim, request);
      if (tenantOf(scope) !== param(request, 'tenant')) throw refusals.invalidToken();
      if (!request.query.get('api-version')) throw refusals.noApiVersion();
      const type = request.headers['content-type'] ?? '';
      if (request.body !== '' && !type.startsWith('application/json')) {
        throw refusals.unsupportedMediaType();
      }
      return route.handle(scope, request);
    },
  };
}

function adminScope(sim: Simulator, { headers }: SimRequest): string {
  const scope = sim.tokens.check('admin', bearer(headers));
  if (scope === undefined) throw refusals.invalidToken();
  return scope;
}

function queueScope(sim: Simulator, { headers }: SimRequest): string {
  const session = sim.sessions.find(sim.tokens.check('queue', bearer(headers)) ?? '');
  if (!session) throw refusals.invalidToken();
  return session.set.scope;
}
