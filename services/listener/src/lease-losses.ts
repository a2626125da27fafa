import type { Clock } from '@baton/shared/time';

/** A loss is told for so long, unless the lease is held again, in ms. */
const toldMs = 60_000;

/** Leases that this listener lost a moment ago, by scale set. */
export class LeaseLosses {
  readonly #clock: Clock;
  readonly #losses = new Map<string, { reason: string; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lost(scaleSetId: string, reason: string): void {
    this.#losses.set(scaleSetId, { reason, at: this.#clock.monotonic() });
  }

  taken(scaleSetId: string): void {
    this.#losses.delete(scaleSetId);
  }

  /** Each with its scale set, for people. */
  *recent(): Iterable<readonly [string, string]> {
    for (const [scaleSetId, { reason, at }] of this.#losses) {
      const agoMs = this.#clock.monotonic() - at;
      if (agoMs > toldMs) this.#losses.delete(scaleSetId);
      else yield [scaleSetId, `was lost (${reason}) ${Math.round(agoMs / 1_000)} s ago`];
    }
  }
}
