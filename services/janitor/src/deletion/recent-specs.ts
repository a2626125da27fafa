import type { Spec } from '@baton/shared/contracts';
import { ContractError } from '@baton/shared/errors';
import type { SpecStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';

/** What was read is used for this long, in ms. */
const freshMs = 1_000;

interface Reading {
  at: number;
  spec: Promise<Spec | undefined>;
}

/** What scale sets declare, read once a second, for who deletes many of their runners. */
export class RecentSpecs {
  readonly #specs: SpecStore;
  readonly #clock: Clock;
  readonly #readings = new Map<string, Reading>();

  constructor(specs: SpecStore, clock: Clock) {
    this.#specs = specs;
    this.#clock = clock;
  }

  /** Undefined when the scale set has none any more. */
  async get(scaleSetId: string): Promise<Spec | undefined> {
    const known = this.#readings.get(scaleSetId);
    const now = this.#clock.monotonic();
    if (known && now - known.at < freshMs) return await known.spec;
    const spec = this.#specs.get(scaleSetId).then((entry) => entry?.value);
    const reading = { at: now, spec };
    this.#readings.set(scaleSetId, reading);
    // A failure is not kept, unless it is what was read.
    spec.catch((error: unknown) => {
      if (error instanceof ContractError) return;
      if (this.#readings.get(scaleSetId) === reading) this.#readings.delete(scaleSetId);
    });
    return await spec;
  }
}
