import { json, type Route, type SimRequest } from './exchange.ts';

/** A route below `/_sim/` that answers JSON. */
export function control(
  method: Route['method'],
  path: string,
  work: (request: SimRequest) => Record<string, unknown>,
): Route {
  return {
    name: undefined,
    method,
    pattern: `/_sim/${path}`,
    handle: (request) => json(work(request)),
  };
}
