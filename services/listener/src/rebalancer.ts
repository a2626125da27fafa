import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import { preferredOwner } from './core/share-scale-sets.ts';
import type { Members } from './members.ts';

interface RebalancerDeps {
  members: Pick<Members, 'own' | 'shares' | 'hasSettled'>;
  clock: Clock;
  random: Random;
  log: Logger;
  /** A listener must have lived for so long before scale sets move to it, in ms. */
  rebalanceAfterMs: number;
}

interface Movable {
  /** The scale sets that this listener polls. */
  polled: () => readonly string[];
  /** Gives one up; resolves when its successor polls it, or was given the time to. */
  handOver: (scaleSetId: string) => Promise<void>;
}

const lookEveryMs = 5_000;
/** Between two scale sets that move, in ms. */
const betweenMovesMs = 500;
/** One that came back was not wanted there: it stays for so long, in ms. */
const stayMs = 600_000;

/**
 * Moves scale sets, one by one, to the listener that should have them, once that has lived for a
 * while. The session moves with its scale set, so GitHub notices nothing.
 */
export class Rebalancer {
  readonly #deps: RebalancerDeps;
  readonly #sets: Movable;
  /** Monotonic ms at which a scale set was given away. */
  readonly #movedAt = new Map<string, number>();

  constructor(deps: RebalancerDeps, sets: Movable) {
    this.#deps = deps;
    this.#sets = sets;
  }

  /** Runs until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    while (!signal.aborted) {
      const moved = await this.#moveOne();
      const waitMs = (moved ? betweenMovesMs : lookEveryMs) * (0.8 + 0.4 * random());
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async #moveOne(): Promise<boolean> {
    const { clock, log } = this.#deps;
    for (const scaleSetId of this.#sets.polled()) {
      const to = this.#betterOwner(scaleSetId);
      if (to === undefined) continue;
      log.info({ scaleSetId, to }, 'scale set moves to another listener');
      this.#movedAt.set(scaleSetId, clock.monotonic());
      await this.#sets.handOver(scaleSetId);
      return true;
    }
    return false;
  }

  #betterOwner(scaleSetId: string): string | undefined {
    const { members, clock, rebalanceAfterMs } = this.#deps;
    const owner = preferredOwner(scaleSetId, members.shares);
    if (owner === undefined || owner === members.own.identity) return undefined;
    if (!members.hasSettled(owner, rebalanceAfterMs)) return undefined;
    const movedAt = this.#movedAt.get(scaleSetId);
    if (movedAt !== undefined && clock.monotonic() - movedAt < stayMs) return undefined;
    this.#movedAt.delete(scaleSetId);
    return owner;
  }
}
