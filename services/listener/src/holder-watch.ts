import type { Holder, LivenessProber } from '@baton/shared/lease';
import type { Clock } from '@baton/shared/time';

interface HolderWatchDeps {
  prober: LivenessProber;
  clock: Clock;
}

const probeEveryMs = 450;
/** After a first silence: two of them 500 ms apart prove a death. */
const suspectMs = 505;

/**
 * Finds out within a second that a process which holds leases has died. One process is probed once
 * however many of its leases are waited for.
 */
export class HolderWatch {
  readonly #deps: HolderWatchDeps;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(deps: HolderWatchDeps) {
    this.#deps = deps;
  }

  /** Calls `onDeath` again and again while the holder is dead; returns what ends the watch. */
  watch(holder: Holder, onDeath: () => void): () => void {
    const { incarnation } = holder;
    const waiting = this.#waiting.get(incarnation);
    if (waiting) waiting.add(onDeath);
    else {
      this.#waiting.set(incarnation, new Set([onDeath]));
      void this.#probe(holder);
    }
    return () => this.#waiting.get(incarnation)?.delete(onDeath);
  }

  /** Runs while somebody waits for this holder. */
  async #probe(holder: Holder): Promise<void> {
    const { prober, clock } = this.#deps;
    const waiting = this.#waiting.get(holder.incarnation);
    while (waiting && waiting.size > 0) {
      const verdict = await prober.check(holder);
      if (verdict === 'dead' && prober.trustsSilence) for (const onDeath of [...waiting]) onDeath();
      await clock.sleep(verdict === 'suspect' ? suspectMs : probeEveryMs);
    }
    this.#waiting.delete(holder.incarnation);
  }
}
