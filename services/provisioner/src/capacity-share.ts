import type { Spec } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { listScaleSetIds, type SpecStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import type { ProviderGates } from './provider-gate.ts';

interface CapacityDeps {
  gates: ProviderGates;
  specs: SpecStore;
  clock: Clock;
}

/** How many share a provider is looked up this often, in ms. */
const sharersMs = 5_000;

/** How much room a provider has for a scale set; sets on one provider share it equally. */
export class CapacityShare {
  readonly #deps: CapacityDeps;
  #sharers: { at: number; counts: Promise<Map<string, number>> } | undefined;

  constructor(deps: CapacityDeps) {
    this.#deps = deps;
  }

  /** Room for new instances; `pending` of the scale set's runners have no instance yet. */
  async of(
    spec: Spec,
    pending: number,
  ): Promise<{ free: number } | { problem: string; retryAt?: string }> {
    const name = spec.declaration.provider;
    const gate = this.#deps.gates.get(name);
    if (!gate) {
      return { problem: `provider "${name}" is not in the provisioner's BATON_PROVIDERS_FILE` };
    }
    try {
      const [free, counts] = await Promise.all([gate.free(), this.#counts()]);
      const trouble = gate.breaker.trouble(spec.scaleSetId);
      if (trouble) return trouble;
      const share = Math.ceil(free / Math.max(1, counts.get(name) ?? 1));
      const most = gate.breaker.isProbeDue(spec.scaleSetId) ? 1 : free;
      return { free: Math.max(0, Math.min(most, share) - pending) };
    } catch (error) {
      const trouble = gate.breaker.trouble(spec.scaleSetId);
      return trouble ?? { problem: `provider "${name}" cannot be asked: ${errorText(error)}` };
    }
  }

  async #counts(): Promise<Map<string, number>> {
    const { clock } = this.#deps;
    if (this.#sharers && clock.monotonic() - this.#sharers.at < sharersMs)
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
