import { type Plan, planFreshMs, type Spec } from '@baton/shared/contracts';
import type { Random } from '@baton/shared/retry';
import type { PlanStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted, notNeeded } from '@baton/shared/time';
import { advertisedCapacity } from './core/advertised-capacity.ts';
import { defaultWithdrawalPolicy, shouldReturn, type WithdrawalPolicy } from './core/withdrawal.ts';
import type { Wakeups } from './wakeups.ts';

interface CapacityDeps {
  plans: PlanStore;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Wakes when a provisioner says that it changed a plan. */
  planHints: Wakeups;
  withdrawal?: WithdrawalPolicy;
}

/** The plan is read again at least this often, in ms: a hint may be lost. */
const readEveryMs = 30_000;
/** While the plan is missing or old: it is written again without a hint, in ms. */
const readOldEveryMs = 10_000;

/** Keeps the capacity to advertise for one scale set up to date with its plan and its spec. */
export class CapacityWatch {
  readonly #deps: CapacityDeps;
  readonly #spec: () => Spec;
  readonly #listeners = new Set<() => void>();
  #plan: Plan | undefined;
  #current = 0;
  /** Monotonic time since when nothing could be run. */
  #emptySince: number | undefined;

  constructor(deps: CapacityDeps, spec: () => Spec) {
    this.#deps = deps;
    this.#spec = spec;
    this.#emptySince = deps.clock.monotonic();
  }

  get current(): number {
    return this.#current;
  }

  /** The plan's runners, as of the last read. */
  get aliveCount(): number | undefined {
    return this.#plan?.runners.length;
  }

  /** For how long nothing could be run, in ms; undefined when something can. */
  get emptyForMs(): number | undefined {
    if (this.#emptySince === undefined) return undefined;
    return this.#deps.clock.monotonic() - this.#emptySince;
  }

  get withdrawal(): WithdrawalPolicy {
    return this.#deps.withdrawal ?? defaultWithdrawalPolicy;
  }

  /** Calls `listener` on every change; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the plan now. NATS being away keeps the last one. */
  async read(): Promise<void> {
    const { plans, clock, log } = this.#deps;
    const { scaleSetId } = this.#spec();
    try {
      this.#plan = (await plans.get(scaleSetId))?.value;
    } catch (err) {
      log.debug({ err }, 'plan could not be read');
    }
    const next = advertisedCapacity(this.#spec(), this.#plan, clock.now());
    if (next === this.#current) return;
    log.debug({ capacity: next, before: this.#current }, 'capacity changed');
    this.#current = next;
    this.#emptySince = next > 0 ? undefined : clock.monotonic();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Reads the plan on every hint and from time to time, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { planHints, clock } = this.#deps;
    using ear = planHints.listen(this.#spec().scaleSetId);
    while (!signal.aborted) {
      await ear.wait({ clock, maxMs: this.#readInMs(), signal });
      if (!isAborted(signal)) await this.read();
    }
  }

  /**
   * After the session was closed for want of capacity: resolves when it is to be opened again, when
   * `wanted` turns false, or when the signal is aborted. `wake` makes it look at `wanted`.
   */
  async untilReturn(wanted: () => boolean, wake: Wakeups, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const awaySince = clock.monotonic();
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    const watching = this.run(either);
    using ear = wake.listen(this.#spec().scaleSetId);
    const stopListening = this.onChange(() => ear.wake());
    try {
      while (!isAborted(signal) && wanted()) {
        const awayForMs = clock.monotonic() - awaySince;
        if (shouldReturn({ capacity: this.#current, awayForMs }, this.withdrawal)) break;
        const maxMs = this.withdrawal.maxAwayMs - awayForMs;
        await ear.wait({ clock, maxMs, signal });
      }
    } finally {
      stopListening();
      done.abort(notNeeded);
      await watching;
    }
  }

  /** Jittered, so that a thousand scale sets do not read at once; and when the plan turns old. */
  #readInMs(): number {
    const { clock, random } = this.#deps;
    const ageMs = this.#plan ? clock.now() - Date.parse(this.#plan.freeAt) : Number.NaN;
    // Not a number: there is no plan, or its time is none.
    const everyMs = ageMs <= planFreshMs ? readEveryMs : readOldEveryMs;
    const jitteredMs = everyMs * (0.8 + 0.2 * random());
    const turnsOldInMs = planFreshMs - ageMs + 1;
    return turnsOldInMs > 0 ? Math.min(jitteredMs, turnsOldInMs) : jitteredMs;
  }
}
