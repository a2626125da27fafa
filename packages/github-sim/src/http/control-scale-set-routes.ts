import { z } from 'zod';
import { dropSchema, playSchema, registrySchema } from '../control/schemas.ts';
import type { ScaleSet } from '../core/model.ts';
import { Refusal } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import { statisticsOf } from '../core/statistics.ts';
import { control } from './control-route.ts';
import { param, type Route, readBody, type SimRequest } from './exchange.ts';

const trackingSchema = z.object({ enabled: z.boolean() });

/** What a test can do to scale sets, their sessions and their runners. */
export function scaleSetControlRoutes(sim: Simulator): Route[] {
  const named = (request: SimRequest) => sim.scaleSets.lookUp(param(request, 'name'));
  return [
    control('POST', 'registry', (request) => {
      const { runnerGroups, keptLabels, bareRunners } = readBody(request, registrySchema);
      if (runnerGroups) sim.scaleSets.nameGroups(runnerGroups);
      if (keptLabels !== undefined) sim.scaleSets.keptLabels = keptLabels ?? Infinity;
      sim.runners.bare = bareRunners ?? sim.runners.bare;
      return {};
    }),
    control('POST', 'tracking', (request) => {
      const { enabled } = readBody(request, trackingSchema);
      for (const key of sim.gaps.keys()) sim.gaps.setTracking(key, enabled);
      return {};
    }),
    control('POST', 'scalesets/:name/tracking', (request) => {
      sim.setTracking(named(request), readBody(request, trackingSchema).enabled);
      return {};
    }),
    control('POST', 'scalesets/:name/session/evict', (request) => {
      endSession(sim, named(request), 'evicted');
      return {};
    }),
    control('POST', 'scalesets/:name/session/release', (request) => {
      endSession(sim, named(request), 'deleted');
      return {};
    }),
    control('POST', 'scalesets/:name/play', (request) => {
      play(sim, named(request), readBody(request, playSchema));
      return {};
    }),
    control('DELETE', 'scalesets/:name', (request) => {
      sim.deleteScaleSet(named(request));
      return {};
    }),
    control('POST', 'registrations/drop', (request) => ({
      dropped: drop(sim, readBody(request, dropSchema)),
    })),
  ];
}

function endSession(sim: Simulator, set: ScaleSet, reason: 'evicted' | 'deleted'): void {
  const session = sim.sessions.current(set);
  if (!session) throw new Refusal(409, { message: `${set.name} has no session.` });
  sim.sessions.end(session, reason);
}

function play(sim: Simulator, set: ScaleSet, wanted: z.output<typeof playSchema>): void {
  set.play.muted = wanted.muted ?? set.play.muted;
  set.play.statistics = wanted.statistics ?? set.play.statistics;
  set.play.drift = wanted.drift ?? set.play.drift;
  set.play.runner = wanted.runner ?? set.play.runner;
  if (wanted.restartMessageIds) set.log.restart();
  const statistics = statisticsOf(set, sim.options.dialect);
  for (const entry of wanted.entries ?? []) {
    set.log.append(JSON.stringify(entry), statistics, wanted.apart);
  }
  sim.flow.fill(set, wanted.entries !== undefined || wanted.muted === false);
}

function drop(sim: Simulator, { scaleSet, busy, told }: z.output<typeof dropSchema>): string[] {
  const dropped = sim.runners
    .all()
    .filter((runner) => scaleSet === undefined || runner.set.name === scaleSet)
    .filter((runner) => busy || runner.status !== 'busy');
  for (const runner of dropped) sim.runners.unregister(runner, told);
  return dropped.map(({ name }) => name);
}
