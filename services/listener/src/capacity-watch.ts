import type { Plan, Spec } from '@baton/shared/contracts';
import type { PlanStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import { advertisedCapacity } from './core/advertised-capacity.ts';
import type { Wakeups } from './wakeups.ts';

interface CapacityDeps {
  plans: PlanStore;
  clock: Clock;
  log: Logger;
  /** Wakes when a provisioner says that it changed a plan. */
  planHints: Wakeups;
}

/** The plan is read again at least this often, in ms. */
const readEveryMs = 10_000;

/** Keeps the capacity to advertise for one scale set up to date with its plan and its spec. */
export class CapacityWatch {
  readonly #deps: CapacityDeps;
  readonly #spec: () => Spec;
  readonly #listeners = new Set<() => void>();
  #plan: Plan | undefined;
  #current = 0;

  constructor(deps: CapacityDeps, spec: () => Spec) {
    this.#deps = deps;
    this.#spec = spec;
  }

  get current(): number {
    return this.#current;
  }

  /** The plan's runners, as of the last read. */
  get aliveCount(): number | undefined {
    return this.#plan?.runners.length;
  }

  /** Calls `listener` on every change; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the plan now. NATS being away keeps the last value. */
  async read(): Promise<void> {
    const { plans, clock, log } = this.#deps;
    const spec = this.#spec();
    try {
      this.#plan = (await plans.get(spec.scaleSetId))?.value;
    } catch (err) {
      log.debug({ err }, 'plan could not be read');
    }
    const next = advertisedCapacity(spec, this.#plan, clock.now());
    if (next === this.#current) return;
    log.debug({ capacity: next, before: this.#current }, 'capacity changed');
    this.#current = next;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Reads the plan on every hint and from time to time, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { planHints, clock } = this.#deps;
    while (!signal.aborted) {
      await planHints.waitFor(this.#spec().scaleSetId, { clock, maxMs: readEveryMs, signal });
      await this.read();
    }
  }
}
