import type { ComputeProvider } from '@baton/providers';
import { errorText } from '@baton/shared/errors';
import type { Random } from '@baton/shared/retry';
import { gauge, type Logger, type MetricSource } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';
import { ProviderBreaker } from './provider-breaker.ts';

interface GateDeps {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Ends questions that are under way. */
  signal: AbortSignal;
}

/** An answer of a provider is used for this long, in ms. */
const freshMs = 500;
const timeoutMs = 10_000;

/** By the provider's name. */
export type ProviderGates = ReadonlyMap<string, ProviderGate>;

export function providerGates(
  providers: ReadonlyMap<string, ComputeProvider>,
  given: GateDeps,
): ProviderGates {
  const deps = { ...given, log: given.log.child({ component: 'provider' }) };
  return new Map(
    [...providers].map(([name, provider]) => [name, new ProviderGate(name, provider, deps)]),
  );
}

/** Whether providers work, and what room they said they have; one that fails has told none. */
export function gateGauges(gates: ProviderGates): MetricSource[] {
  const of = (read: (gate: ProviderGate) => number | undefined) => () =>
    [...gates].flatMap(([provider, gate]) => {
      const value = read(gate);
      return value === undefined ? [] : [{ value, labels: { provider } }];
    });
  return [
    gauge(
      'baton_breaker_open',
      '1 while a provider fails for whoever asks: creates in it are held back.',
      of(({ breaker }) => (breaker.isOpen ? 1 : 0)),
    ),
    gauge(
      'baton_provider_free_instances',
      'Instances that the provider had room for when it was asked last.',
      of(({ free }) => free),
    ),
  ];
}

/** What one provisioner knows of a provider's health and room; all who ask share the answers. */
export class ProviderGate {
  readonly breaker: ProviderBreaker;
  readonly #name: string;
  readonly #provider: ComputeProvider;
  readonly #deps: GateDeps;
  #answer: { at: number; free: Promise<number>; pending: boolean } | undefined;
  /** By creates that were let through since the answer was asked for: it does not count them. */
  #taken = 0;
  #free: number | undefined;

  constructor(name: string, provider: ComputeProvider, deps: GateDeps) {
    this.#name = name;
    this.#provider = provider;
    this.#deps = deps;
    this.breaker = new ProviderBreaker({ name, ...deps });
  }

  /** The last answer; undefined when the last question failed, or nobody has asked. */
  get free(): number | undefined {
    return this.#free;
  }

  /**
   * How many more instances the provider has room for, dead ones counted; at most 500 ms old. A
   * hint: who creates may still be refused. Rejects with what the provider failed with, or at a
   * deadline of ten seconds.
   */
  async counted(): Promise<number> {
    const known = this.#answer;
    const isFresh = known && (known.pending || this.#deps.clock.monotonic() - known.at < freshMs);
    return await (isFresh ? known.free : this.#askAnew());
  }

  /** Whether there is room for an instance; where there is, it is taken. Rejects as `counted` does. */
  async takeRoom(): Promise<boolean> {
    const free = await this.counted();
    if (free <= this.#taken) return false;
    this.#taken += 1;
    return true;
  }

  async #askAnew(): Promise<number> {
    this.#taken = 0;
    const free = this.#ask();
    const answer = { at: this.#deps.clock.monotonic(), free, pending: true };
    this.#answer = answer;
    try {
      return await free;
    } finally {
      answer.pending = false;
    }
  }

  async #ask(): Promise<number> {
    const { clock, signal } = this.#deps;
    const what = `ask provider ${this.#name} for its capacity`;
    try {
      const { free } = await withDeadline({ clock, timeoutMs, what, signal }, (within) =>
        this.#provider.capacity(within),
      );
      this.breaker.questionAnswered();
      this.#free = free;
      return free;
    } catch (error) {
      this.#free = undefined;
      if (!signal.aborted) this.breaker.questionFailed(errorText(error));
      throw error;
    }
  }
}
