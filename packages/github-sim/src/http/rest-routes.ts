import { z } from 'zod';
import { refusals } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import {
  bearer,
  credentialOf,
  json,
  param,
  type Reply,
  type Route,
  readBody,
  type SimRequest,
} from './exchange.ts';
import { scopeOfConfigUrl, tenantOf } from './scope.ts';
import { tellingRateLimit } from './told-rate-limit.ts';

/** The longest life of an app's JWT that GitHub accepts, with a minute of clock skew. */
const maxJwtSeconds = 600 + 60;

const registrationSchema = z.object({ url: z.string(), runner_event: z.literal('register') });
const jwtHeadSchema = z.object({ alg: z.literal('RS256') });
const jwtClaimsSchema = z.object({
  iss: z.union([z.string().min(1), z.number()]),
  iat: z.number(),
  exp: z.number(),
});

/** GitHub's REST API as an Enterprise Server has it: tokens, and the groups of an organization. */
export function restRoutes(sim: Simulator): Route[] {
  const scopes = ['orgs/:a', 'repos/:a/:b', 'enterprises/:a'];
  const routes: Route[] = [
    ...scopes.map(
      (scope): Route => ({
        name: 'createRegistrationToken',
        method: 'POST',
        pattern: `/api/v3/${scope}/actions/runners/registration-token`,
        handle: (request) => createRegistrationToken(sim, scope.split('/:')[0] ?? '', request),
      }),
    ),
    {
      name: 'listRunnerGroups',
      method: 'GET',
      pattern: '/api/v3/orgs/:a/actions/runner-groups',
      handle: (request) => listRunnerGroups(sim, request),
    },
    {
      name: 'createAppToken',
      method: 'POST',
      pattern: '/api/v3/app/installations/:id/access_tokens',
      handle: (request) => createAppToken(sim, request),
    },
    {
      name: 'registerRunner',
      method: 'POST',
      pattern: '/api/v3/actions/runner-registration',
      handle: (request) => registerRunner(sim, request),
    },
  ];
  return tellingRateLimit(routes, sim.clock);
}

function createRegistrationToken(sim: Simulator, kind: string, request: SimRequest): Reply {
  requireCredential(sim, request);
  const names = [request.params.a, request.params.b].filter((name) => name !== undefined);
  const scope = [kind, ...names].join('/').toLowerCase();
  const by = sim.tokens.holderOf(bearer(request.headers));
  const issued = sim.tokens.issue('registration', scope, by);
  return json({ token: issued.token, expires_at: issued.expiresAt }, 201);
}

/** Groups that everybody may use; another policy is a fault with a body of its own. */
function listRunnerGroups(sim: Simulator, request: SimRequest): Reply {
  requireCredential(sim, request);
  const groups = sim.scaleSets.groups.map(({ id, name, isDefaultGroup }) => ({
    id,
    name,
    visibility: 'all',
    default: isDefaultGroup,
    allows_public_repositories: true,
    restricted_to_workflows: false,
    selected_workflows: [],
  }));
  return json({ total_count: groups.length, runner_groups: groups });
}

function requireCredential(sim: Simulator, request: SimRequest): void {
  requireUserAgent(request);
  const token = bearer(request.headers);
  if (!sim.tokens.isPersonal(token) && sim.tokens.check('app', token) === undefined) {
    throw refusals.badCredentials();
  }
}

/** Takes any app's JWT that is well-formed and in time; signatures are not checked. */
function createAppToken(sim: Simulator, request: SimRequest): Reply {
  requireUserAgent(request);
  const [head, claims, signature] = bearer(request.headers).split('.');
  const parsed = jwtClaimsSchema.safeParse(decodePart(claims));
  const now = sim.clock.now() / 1000;
  if (!signature || !jwtHeadSchema.safeParse(decodePart(head)).success || !parsed.success) {
    throw refusals.badCredentials();
  }
  const { iat, exp } = parsed.data;
  if (exp <= now || iat > now + 60 || exp - iat > maxJwtSeconds) throw refusals.badCredentials();
  const issued = sim.tokens.issue('app', param(request, 'id'));
  return json({ token: issued.token, expires_at: issued.expiresAt }, 201);
}

function registerRunner(sim: Simulator, request: SimRequest): Reply {
  requireUserAgent(request);
  const token = credentialOf(request.headers);
  const granted = sim.tokens.check('registration', token);
  if (granted === undefined) throw refusals.badCredentials();
  const scope = scopeOfConfigUrl(readBody(request, registrationSchema).url);
  if (scope !== granted) throw refusals.restNotFound();
  return json({
    url: `${sim.baseUrl}/tenant/${tenantOf(scope)}/`,
    token: sim.tokens.issue('admin', scope, sim.tokens.holderOf(token)).token,
    token_schema: 'OAuthAccessToken',
  });
}

function requireUserAgent({ headers }: SimRequest): void {
  if (headers['user-agent']) return;
  throw refusals.forbidden('Request forbidden by administrative rules. Send a User-Agent header.');
}

function decodePart(part: string | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
}
