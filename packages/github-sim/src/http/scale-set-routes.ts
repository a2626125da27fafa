import { z } from 'zod';
import type { ScaleSet } from '../core/model.ts';
import type { ScaleSetFields } from '../core/scale-sets.ts';
import type { Simulator } from '../core/simulator.ts';
import { statisticsOf } from '../core/statistics.ts';
import { json, param, type Route, readBody } from './exchange.ts';
import { serviceRoute } from './service-guard.ts';

const scaleSetSchema = z.object({
  name: z.string().optional(),
  runnerGroupId: z.int().optional(),
  labels: z.array(z.object({ name: z.string(), type: z.string().optional() })).nullish(),
  RunnerSetting: z.record(z.string(), z.unknown()).nullish(),
});

/** Scale sets and runner groups of the Actions service. */
export function scaleSetRoutes(sim: Simulator): Route[] {
  const path = 'runtime/runnerscalesets';
  return [
    serviceRoute(sim, {
      name: 'listScaleSets',
      method: 'GET',
      path,
      handle: (scope, { query }) => {
        const groupId = query.get('runnerGroupId');
        const name = query.get('name');
        const found = sim.scaleSets.list(scope, {
          ...(groupId === null ? {} : { groupId: Number(groupId) }),
          ...(name === null ? {} : { name }),
        });
        return json({ count: found.length, value: found.map((set) => scaleSetJson(sim, set)) });
      },
    }),
    serviceRoute(sim, {
      name: 'createScaleSet',
      method: 'POST',
      path,
      handle: (scope, request) => {
        const set = sim.createScaleSet(scope, fieldsOf(readBody(request, scaleSetSchema)));
        return json(scaleSetJson(sim, set));
      },
    }),
    serviceRoute(sim, {
      name: 'getScaleSet',
      method: 'GET',
      path: `${path}/:id`,
      handle: (scope, request) =>
        json(scaleSetJson(sim, sim.scaleSets.get(scope, param(request, 'id')))),
    }),
    serviceRoute(sim, {
      name: 'updateScaleSet',
      method: 'PATCH',
      path: `${path}/:id`,
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        sim.updateScaleSet(set, fieldsOf(readBody(request, scaleSetSchema)));
        return json(scaleSetJson(sim, set));
      },
    }),
    serviceRoute(sim, {
      name: 'deleteScaleSet',
      method: 'DELETE',
      path: `${path}/:id`,
      handle: (scope, request) => {
        const set = sim.scaleSets.get(scope, param(request, 'id'));
        sim.setTracking(set, false);
        sim.deleteScaleSet(set);
        return { status: 204 };
      },
    }),
    serviceRoute(sim, {
      name: 'findRunnerGroup',
      method: 'GET',
      path: 'runtime/runnergroups',
      handle: (_scope, { query }) => {
        const name = query.get('groupName');
        const value = sim.scaleSets.groups
          .filter((group) => name === null || group.name.toLowerCase() === name.toLowerCase())
          .map((group) => ({ ...group, size: 0 }));
        return json({ count: value.length, value });
      },
    }),
  ];
}

/** A scale set as the service shows it. */
export function scaleSetJson(sim: Simulator, set: ScaleSet): Record<string, unknown> {
  return {
    id: set.id,
    name: set.name,
    runnerGroupId: set.runnerGroupId,
    runnerGroupName: sim.scaleSets.groupName(set.runnerGroupId),
    labels: set.labels.map((name, index) => ({ id: index + 1, name, type: 'System' })),
    RunnerSetting: set.runnerSetting,
    createdOn: new Date(set.createdAt).toISOString(),
    runnerJitConfigUrl: '',
    statistics: statisticsOf(set, sim.options.dialect),
  };
}

function fieldsOf(body: z.output<typeof scaleSetSchema>): ScaleSetFields {
  return {
    name: body.name,
    runnerGroupId: body.runnerGroupId,
    labels: body.labels?.map(({ name }) => name),
    runnerSetting: body.RunnerSetting ?? undefined,
  };
}
