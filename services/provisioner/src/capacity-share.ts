import { type Demand, type Plan, planFreshMs, type Spec } from '@baton/shared/contracts';
import { errorText, TimeoutError } from '@baton/shared/errors';
import { listScaleSetIds, type PlanStore, type SpecStore } from '@baton/shared/stores';
import { type Clock, notNeeded } from '@baton/shared/time';
import { type Cached, cached } from './cached.ts';
import { askedRunners, latestDemand } from './core/demand.ts';
import type { Capacity } from './core/plan-input.ts';
import { type Sharer, shareOf } from './core/share-capacity.ts';
import type { ProviderGate, ProviderGates } from './provider-gate.ts';

interface CapacityDeps {
  gates: ProviderGates;
  specs: SpecStore;
  plans: PlanStore;
  clock: Clock;
}

/** A scale set that is planned. */
interface Asking {
  spec: Spec;
  /** Its plan of now; undefined when it has none. */
  plan: Plan | undefined;
  /** The demand that is planned for. */
  demand: Demand | undefined;
  /** Its runners that have no instance yet. */
  pending: number;
}

interface Known {
  at: number;
  free: number;
}

type Room = Exclude<Capacity, { problem: string }>;

/** The scale sets of a provider, and those of their plans that there are. */
type Others = readonly { spec: Spec; plan: Plan | undefined }[];

/** An answer of a provider, and the plans of others, are used for this long, in ms. */
const freshMs = 500;
/** What is declared is read again after this time, in ms. */
const declaredMs = 5_000;
/** Planning, and whatever event waits for it, waits for a slow provider only so long, in ms. */
const patienceMs = 1_000;
/** Then its last answer is used for so long, in ms; without one it counts as failing. */
const staleMs = 30_000;

/** Where there is not a place for each, others have theirs after this time, in ms: some polls long. */
const turnMs = 180_000;

/** How much room a provider has for a scale set, shared by weight with the others there. */
export class CapacityShare {
  readonly #deps: CapacityDeps;
  /** The last answer of each provider. */
  readonly #known = new Map<string, Known>();
  readonly #plans = new Map<string, Cached<Others>>();
  #specs: Cached<readonly Spec[]> | undefined;

  constructor(deps: CapacityDeps) {
    this.#deps = deps;
  }

  /** Room for new instances. Where all may have as many as they want, nobody else's plan is read. */
  async of(asking: Asking): Promise<Capacity> {
    const { spec } = asking;
    const name = spec.declaration.provider;
    const gate = this.#deps.gates.get(name);
    if (!gate) {
      return { problem: `provider "${name}" is not in the provisioner's BATON_PROVIDERS_FILE` };
    }
    // One that is known to fail is not asked again before its time.
    const known = gate.breaker.trouble(spec.scaleSetId);
    if (known) return known;
    const free = await this.#free(name, gate).catch((error: unknown) => ({
      problem: `provider "${name}" cannot be asked: ${errorText(error)}`,
    }));
    const trouble = gate.breaker.trouble(spec.scaleSetId);
    if (trouble) return trouble;
    if (typeof free !== 'number') return free;
    const share = await this.#shareOf(asking, free);
    return gate.breaker.isProbeDue(spec.scaleSetId)
      ? { ...share, free: Math.min(1, share.free) }
      : share;
  }

  async #shareOf({ spec, plan, demand, pending }: Asking, free: number): Promise<Room> {
    const { scaleSetId, declaration } = spec;
    const specs = (await this.#declared()).filter(
      (other) => other.declaration.provider === declaration.provider,
    );
    const most = specs.reduce((all, other) => all + other.declaration.maxRunners, 0);
    if (most <= free - pending) return { free: declaration.maxRunners };
    const others = (await this.#others(declaration.provider, specs)).filter(
      (other) => other.spec.scaleSetId !== scaleSetId,
    );
    const pendingAll = others.reduce((all, other) => all + (other.plan?.pending ?? 0), pending);
    const own = { ...this.#sharer(spec, plan), ...wants(spec, latestDemand({ demand, plan })) };
    const sharers = [own, ...others.map((other) => this.#sharer(other.spec, other.plan))];
    const turn = Math.floor(this.#deps.clock.now() / turnMs);
    return shareOf(scaleSetId, sharers, Math.max(0, free - pendingAll), turn);
  }

  #sharer(spec: Spec, plan: Plan | undefined): Sharer {
    const { weight, maxRunners } = spec.declaration;
    const isFresh =
      plan !== undefined && this.#deps.clock.now() - Date.parse(plan.freeAt) <= planFreshMs;
    return {
      scaleSetId: spec.scaleSetId,
      weight,
      maxRunners,
      alive: plan?.runners.length ?? 0,
      ...wants(spec, plan?.demand),
      published: isFresh ? plan.free : 0,
    };
  }

  async #free(name: string, gate: ProviderGate): Promise<number> {
    const { clock } = this.#deps;
    const answer = gate.counted().then((free) => {
      this.#known.set(name, { at: clock.monotonic(), free });
      return free;
    });
    const over = new AbortController();
    const patience = clock.sleep(patienceMs, over.signal).then(
      () => this.#lastAnswer(name),
      () => 0,
    );
    try {
      return await Promise.race([answer, patience]);
    } finally {
      over.abort(notNeeded);
    }
  }

  #lastAnswer(name: string): number {
    const known = this.#known.get(name);
    if (known && this.#deps.clock.monotonic() - known.at <= staleMs) return known.free;
    throw new TimeoutError(`it has not answered for ${patienceMs} ms`);
  }

  async #others(provider: string, specs: readonly Spec[]): Promise<Others> {
    const { clock, plans } = this.#deps;
    const entry = cached(this.#plans.get(provider), freshMs, clock, async () => {
      const found = await plans.getMany(specs.map(({ scaleSetId }) => scaleSetId));
      const byId = new Map(found.map(({ key, value }) => [key, value]));
      return specs.map((spec) => ({ spec, plan: byId.get(spec.scaleSetId) }));
    });
    this.#plans.set(provider, entry);
    return await entry.value;
  }

  /** Those that are to be served: the others need no more room than they have. */
  async #declared(): Promise<readonly Spec[]> {
    const { clock, specs } = this.#deps;
    this.#specs = cached(this.#specs, declaredMs, clock, async () => {
      const entries = await specs.getMany(await listScaleSetIds(specs));
      return entries.map(({ value }) => value).filter(({ declaration }) => declaration.enabled);
    });
    return await this.#specs.value;
  }
}

function wants(spec: Spec, demand: Plan['demand']): Pick<Sharer, 'asked' | 'assigned'> {
  return { asked: askedRunners(spec, demand), assigned: demand?.assigned ?? 0 };
}
