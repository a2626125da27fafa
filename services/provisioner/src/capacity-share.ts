import type { ComputeProvider } from '@baton/providers';
import type { Spec } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { listScaleSetIds, type SpecStore } from '@baton/shared/stores';
import { type Clock, withDeadline } from '@baton/shared/time';

interface CapacityDeps {
  providers: ReadonlyMap<string, ComputeProvider>;
  specs: SpecStore;
  clock: Clock;
  signal: AbortSignal;
}

/** An answer of a provider is used for this long, in ms. */
const freshMs = 500;
const timeoutMs = 10_000;

/** How much room a provider has for a scale set; sets on one provider share it equally. */
export class CapacityShare {
  readonly #deps: CapacityDeps;
  readonly #answers = new Map<string, { at: number; free: Promise<number> }>();
  #sharers: { at: number; counts: Promise<Map<string, number>> } | undefined;

  constructor(deps: CapacityDeps) {
    this.#deps = deps;
  }

  /** Room for new instances; `pending` of the scale set's runners have no instance yet. */
  async of(spec: Spec, pending: number): Promise<{ free: number } | { problem: string }> {
    const name = spec.declaration.provider;
    const provider = this.#deps.providers.get(name);
    if (!provider) {
      return { problem: `provider "${name}" is not in the provisioner's BATON_PROVIDERS_FILE` };
    }
    try {
      const [free, counts] = await Promise.all([this.#free(name, provider), this.#counts()]);
      const share = Math.ceil(free / Math.max(1, counts.get(name) ?? 1));
      return { free: Math.max(0, Math.min(free, share) - pending) };
    } catch (error) {
      return { problem: `provider "${name}" cannot be asked: ${errorText(error)}` };
    }
  }

  async #free(name: string, provider: ComputeProvider): Promise<number> {
    const { clock, signal } = this.#deps;
    const known = this.#answers.get(name);
    if (known && clock.monotonic() - known.at < freshMs) return await known.free;
    const what = `ask provider ${name} for its capacity`;
    const free = withDeadline({ clock, timeoutMs, what, signal }, (within) =>
      provider.capacity(within),
    ).then((answer) => answer.free);
    this.#answers.set(name, { at: clock.monotonic(), free });
    return await free;
  }

  async #counts(): Promise<Map<string, number>> {
    const { clock } = this.#deps;
    if (this.#sharers && clock.monotonic() - this.#sharers.at < 10 * freshMs)
      return await this.#sharers.counts;
    const counts = this.#countSharers();
    this.#sharers = { at: clock.monotonic(), counts };
    return await counts;
  }

  async #countSharers(): Promise<Map<string, number>> {
    const { specs } = this.#deps;
    const counts = new Map<string, number>();
    for (const { value } of await specs.getMany(await listScaleSetIds(specs))) {
      const { provider, enabled } = value.declaration;
      if (enabled) counts.set(provider, (counts.get(provider) ?? 0) + 1);
    }
    return counts;
  }
}
