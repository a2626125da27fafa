import { z } from 'zod';
import { booksOf, jobRecord, stateOf } from '../control/reports.ts';
import {
  addJobsSchema,
  outageSchema,
  personalTokenSchema,
  playRunnersSchema,
  registerRunnersSchema,
  tokenKindSchema,
} from '../control/schemas.ts';
import { faultRuleSchema } from '../core/fault-rule.ts';
import type { Runner } from '../core/model.ts';
import { Refusal } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import { control } from './control-route.ts';
import { scaleSetControlRoutes } from './control-scale-set-routes.ts';
import { param, type Route, readBody } from './exchange.ts';

/** The simulator's own API. It is never subject to faults. */
export function controlRoutes(sim: Simulator): Route[] {
  return [
    control('GET', 'healthz', () => ({ status: 'ok' })),
    control('GET', 'state', () => stateOf(sim)),
    control('GET', 'books', () => booksOf(sim)),
    control('GET', 'journal', ({ query }) => ({
      entries: sim.journal.after(Number(query.get('after') ?? 0)),
    })),
    control('GET', 'jobs', () => ({ jobs: sim.jobs.all().map(jobRecord) })),
    control('POST', 'jobs', (request) => ({
      ids: sim.jobs.add(readBody(request, addJobsSchema)).map(({ id }) => id),
    })),
    control('DELETE', 'jobs/:id', (request) => {
      const id = param(request, 'id');
      if (!sim.jobs.cancel(id)) throw new Refusal(409, { message: `Job ${id} is not under way.` });
      return {};
    }),
    control('POST', 'jobs/:id/announce', (request) => {
      const id = param(request, 'id');
      if (!sim.jobs.announceCompletion(id)) {
        throw new Refusal(409, { message: `Job ${id} is not running.` });
      }
      return {};
    }),
    control('GET', 'faults', () => ({ faults: sim.faults.list() })),
    control('POST', 'faults', (request) => ({
      id: sim.faults.add(readBody(request, faultRuleSchema)),
    })),
    control('DELETE', 'faults', () => {
      sim.faults.clear();
      return {};
    }),
    control('DELETE', 'faults/:id', (request) => {
      sim.faults.clear(param(request, 'id'));
      return {};
    }),
    control('POST', 'runners/play', (request) => {
      const played = runnersOf(sim, readBody(request, playRunnersSchema).names);
      for (const runner of played) sim.desk.play(runner);
      return { played: played.length };
    }),
    control('POST', 'runners/finish', (request) => {
      const runners = runnersOf(sim, readBody(request, playRunnersSchema).names);
      const finished = runners.filter((runner) => sim.desk.finish(runner));
      return { finished: finished.map(({ name }) => name) };
    }),
    control('POST', 'runners/register', (request) => {
      const { scaleSet, names } = readBody(request, registerRunnersSchema);
      const set = sim.scaleSets.lookUp(scaleSet);
      return { ids: names.map((name) => sim.runners.register(set, name, '_work').runner.id) };
    }),
    control('POST', 'outage', (request) => {
      const { ms, status } = readBody(request, outageSchema);
      sim.startOutage(ms, status);
      return {};
    }),
    control('POST', 'tokens/expire', (request) => {
      const { kind } = readBody(request, z.object({ kind: tokenKindSchema }));
      return { expired: sim.tokens.expire(kind) };
    }),
    control('POST', 'tokens/personal', (request) => {
      sim.tokens.replacePersonal(readBody(request, personalTokenSchema).token);
      return {};
    }),
    ...scaleSetControlRoutes(sim),
  ];
}

function runnersOf(sim: Simulator, names: readonly string[]): Runner[] {
  const scopes = [...new Set(sim.scaleSets.all().map(({ scope }) => scope))];
  return scopes.flatMap((scope) => names.flatMap((name) => sim.runners.list(scope, name)));
}
