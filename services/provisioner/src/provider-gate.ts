import type { ComputeProvider } from '@baton/providers';
import { errorText } from '@baton/shared/errors';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
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

/** What one provisioner knows of a provider's health and room; all who ask share the answers. */
export class ProviderGate {
  readonly breaker: ProviderBreaker;
  readonly #name: string;
  readonly #provider: ComputeProvider;
  readonly #deps: GateDeps;
  #answer: { at: number; free: Promise<number>; pending: boolean } | undefined;
  /** By creates that were let through since the answer was asked for: it does not count them. */
  #taken = 0;

  constructor(name: string, provider: ComputeProvider, deps: GateDeps) {
    this.#name = name;
    this.#provider = provider;
    this.#deps = deps;
    this.breaker = new ProviderBreaker({ name, ...deps });
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
      return free;
    } catch (error) {
      if (!signal.aborted) this.breaker.questionFailed(errorText(error));
      throw error;
    }
  }
}
