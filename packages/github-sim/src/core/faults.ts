import type { Clock } from '@baton/shared/time';
import type { FaultAction, FaultRule, RouteName } from './fault-rule.ts';

const outageId = 'outage';

interface ActiveRule {
  id: string;
  rule: FaultRule;
  fromMs: number;
  untilMs: number;
  seen: number;
  hits: number;
  random: () => number;
}

/** Rules that spoil answers. The same seed, rules and requests give the same faults. */
export class Faults {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #rules = new Map<string, ActiveRule>();
  #added = 0;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
  }

  get active(): boolean {
    return this.#rules.size > 0;
  }

  add(rule: FaultRule): string {
    this.#added += 1;
    const id = rule.id ?? `fault-${this.#added}`;
    const fromMs = this.#clock.monotonic() + rule.afterMs;
    // One that is replaced comes after the others, like any new one.
    this.#rules.delete(id);
    this.#rules.set(id, {
      id,
      rule,
      fromMs,
      untilMs: rule.windowMs === undefined ? Number.POSITIVE_INFINITY : fromMs + rule.windowMs,
      seen: 0,
      hits: 0,
      random: seededRandom(this.#seed * 7919 + this.#added),
    });
    return id;
  }

  /** Answers everything with this status for a while: one that is on already ends no sooner. */
  startOutage(ms: number, status: number): void {
    const action = { kind: 'status', status, body: '', headers: {} } as const;
    const windowMs = Math.max(ms, this.outageEndsAt() - this.#clock.monotonic());
    this.add({ id: outageId, route: '*', afterMs: 0, windowMs, action });
  }

  /** Monotonic ms; in the past when there is none. */
  outageEndsAt(): number {
    return this.#rules.get(outageId)?.untilMs ?? Number.NEGATIVE_INFINITY;
  }

  clear(id?: string): void {
    if (id === undefined) this.#rules.clear();
    else this.#rules.delete(id);
  }

  list(): { id: string; seen: number; hits: number; rule: FaultRule }[] {
    return [...this.#rules.values()].map(({ id, seen, hits, rule }) => ({ id, seen, hits, rule }));
  }

  /** The action for this request, of the first rule that applies. Counts the request. */
  decide(route: RouteName, scaleSet: () => string | undefined): FaultAction | undefined {
    const now = this.#clock.monotonic();
    for (const active of this.#rules.values()) {
      const { rule } = active;
      if (now < active.fromMs || now >= active.untilMs) continue;
      if (rule.route !== '*' && rule.route !== route) continue;
      if (rule.scaleSet !== undefined && rule.scaleSet !== scaleSet()) continue;
      if (strikes(active)) return rule.action;
    }
    return undefined;
  }
}

function strikes(active: ActiveRule): boolean {
  const { first, every, probability } = active.rule;
  active.seen += 1;
  if (first !== undefined && active.seen > first) return false;
  if (every !== undefined && active.seen % every !== 0) return false;
  if (probability !== undefined && active.random() >= probability) return false;
  active.hits += 1;
  return true;
}

/** A linear congruential generator: numbers in [0, 1) that depend on the seed only. */
function seededRandom(seed: number): () => number {
  let state = BigInt.asUintN(64, BigInt(seed) * 2_654_435_761n + 1n);
  return () => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    return Number(state >> 33n) / 2 ** 31;
  };
}
