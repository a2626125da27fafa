import type { RouteName } from './fault-rule.ts';

/** Calls of one route: how many came, and how many were under way together at most. */
export interface RouteTraffic {
  calls: number;
  mostAtOnce: number;
}

/** Counts the calls of the GitHub-side routes. */
export class Traffic {
  readonly #routes = new Map<RouteName, RouteTraffic & { now: number }>();

  /** A call has come; returns what says that its client has an answer, or has gone. */
  begin(route: RouteName): () => void {
    const counted = this.#routes.get(route) ?? { calls: 0, mostAtOnce: 0, now: 0 };
    this.#routes.set(route, counted);
    counted.calls += 1;
    counted.now += 1;
    counted.mostAtOnce = Math.max(counted.mostAtOnce, counted.now);
    return () => {
      counted.now -= 1;
    };
  }

  report(): Record<string, RouteTraffic> {
    const report: Record<string, RouteTraffic> = {};
    for (const [route, { calls, mostAtOnce }] of this.#routes)
      report[route] = { calls, mostAtOnce };
    return report;
  }
}
