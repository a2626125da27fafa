import { z } from 'zod';
import { toJson } from '../core/job-entries.ts';
import type { ScaleSet, Session } from '../core/model.ts';
import { refusals } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import { statisticsOf } from '../core/statistics.ts';
import { bearer, json, param, type Route, readBody, type SimRequest } from './exchange.ts';
import { scaleSetJson } from './scale-set-routes.ts';
import { serviceRoute } from './service-guard.ts';

const sessionSchema = z.object({ ownerName: z.string().min(1) });
const path = 'runtime/runnerscalesets/:id/sessions';

/** Message sessions of scale sets. */
export function sessionRoutes(sim: Simulator): Route[] {
  return [
    serviceRoute(sim, {
      name: 'createSession',
      method: 'POST',
      path,
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        const { ownerName } = readBody(request, sessionSchema);
        const by = asked(sim, set, request);
        return json(sessionJson(sim, sim.sessions.open(set, ownerName, by), by));
      },
    }),
    serviceRoute(sim, {
      name: 'refreshSession',
      method: 'PATCH',
      path: `${path}/:sessionId`,
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        const by = asked(sim, set, request);
        return json(sessionJson(sim, sim.sessions.require(set, param(request, 'sessionId')), by));
      },
    }),
    serviceRoute(sim, {
      name: 'deleteSession',
      method: 'DELETE',
      path: `${path}/:sessionId`,
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        asked(sim, set, request);
        sim.sessions.end(sim.sessions.require(set, param(request, 'sessionId')), 'deleted');
        return { status: 204 };
      },
    }),
    ...acquireRoutes(sim),
  ];
}

function acquireRoutes(sim: Simulator): Route[] {
  return [
    serviceRoute(sim, {
      name: 'acquireJobs',
      method: 'POST',
      path: 'runtime/runnerscalesets/:id/acquirejobs',
      token: 'queue',
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        if (sim.options.dialect === 'github.com') throw refusals.pageNotFound();
        const granted = sim.flow.acquire(set, parseIds(request.body));
        return { ...json({}), body: toJson({ count: granted.length, value: granted }) };
      },
    }),
    serviceRoute(sim, {
      name: 'listAcquirableJobs',
      method: 'GET',
      path: 'runtime/runnerscalesets/:id/acquirablejobs',
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        if (sim.options.dialect === 'github.com') throw refusals.pageNotFound();
        if (set.available.size === 0) return { status: 204 };
        const value = [...set.available.values()].map((job) => ({
          acquireJobUrl: '',
          messageType: 'JobAvailable',
          runnerRequestId: job.requestId,
          repositoryName: job.repository,
          ownerName: job.owner,
          jobWorkflowRef: `${job.owner}/${job.repository}/.github/workflows/ci.yml@refs/heads/main`,
          eventName: 'push',
          requestLabels: job.labels,
        }));
        return { ...json({}), body: toJson({ count: value.length, value }) };
      },
    }),
  ];
}

/** Notes who asks for the session of a set; returns who that is, where it is known. */
function asked(sim: Simulator, set: ScaleSet, { headers }: SimRequest): string | undefined {
  const by = sim.tokens.holderOf(bearer(headers));
  sim.journal.write(set.name, 'asked', { by });
  return by;
}

function sessionJson(sim: Simulator, session: Session, by?: string): Record<string, unknown> {
  return {
    sessionId: session.id,
    ownerName: session.owner,
    runnerScaleSet: scaleSetJson(sim, session.set),
    messageQueueUrl: `${sim.baseUrl}/broker/v1/message?sessionId=${session.id}&region=sim`,
    messageQueueAccessToken: sim.tokens.issue('queue', session.id, by).token,
    statistics: statisticsOf(session.set, sim.options.dialect),
  };
}

/** Ids are read as text: as doubles, those above 2^53 would be rounded. */
function parseIds(body: string): bigint[] {
  if (!/^\s*\[\s*(\d+\s*(,\s*\d+\s*)*)?\]\s*$/.test(body)) {
    throw refusals.badRequest('The body is not an array of request ids.');
  }
  return (body.match(/\d+/g) ?? []).map((id) => BigInt(id));
}
