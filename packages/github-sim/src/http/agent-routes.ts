import { z } from 'zod';
import type { Runner } from '../core/model.ts';
import type { Simulator } from '../core/simulator.ts';
import { json, param, type Route, readBody } from './exchange.ts';
import { serviceRoute } from './service-guard.ts';

const jitSchema = z.object({ name: z.string().min(1), workFolder: z.string().default('_work') });
const path = 'distributedtask/pools/0/agents';

/** Runner registrations of the Actions service. */
export function agentRoutes(sim: Simulator): Route[] {
  const agent = (runner: Runner) => agentJson(runner, sim.runners.bare);
  return [
    serviceRoute(sim, {
      name: 'generateJitConfig',
      method: 'POST',
      path: 'runtime/runnerscalesets/:id/generatejitconfig',
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        const { name, workFolder } = readBody(request, jitSchema);
        const { runner, config } = sim.runners.register(set, name, workFolder);
        return json({ runner: agent(runner), encodedJITConfig: config });
      },
    }),
    serviceRoute(sim, {
      name: 'listRunners',
      method: 'GET',
      path,
      handle: (scope, { query }) => {
        const value = sim.runners.list(scope, query.get('agentName') ?? undefined).map(agent);
        return json({ count: value.length, value });
      },
    }),
    serviceRoute(sim, {
      name: 'getRunner',
      method: 'GET',
      path: `${path}/:agentId`,
      handle: (scope, request) => json(agent(sim.runners.get(scope, param(request, 'agentId')))),
    }),
    serviceRoute(sim, {
      name: 'removeRunner',
      method: 'DELETE',
      path: `${path}/:agentId`,
      handle: (scope, request) => {
        sim.runners.remove(scope, param(request, 'agentId'));
        return { status: 204 };
      },
    }),
  ];
}

function agentJson(runner: Runner, bare: boolean): Record<string, unknown> {
  const who = { id: runner.id, name: runner.name, runnerScaleSetId: runner.set.id };
  if (bare) return who;
  return {
    ...who,
    status: runner.status === 'offline' ? 'offline' : 'online',
    busy: runner.status === 'busy',
    enabled: true,
    ephemeral: true,
    createdOn: new Date(runner.createdAt).toISOString(),
    version: '2.330.0',
    osDescription: 'Linux',
  };
}
