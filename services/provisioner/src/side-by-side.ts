import { type Clock, notNeeded } from '@baton/shared/time';

interface SideBySideOptions {
  clock: Clock;
  /** Told of work that failed; the others go on. */
  onError: (key: string, error: unknown) => void;
}

/** So many at a time. */
const width = 32;
/** What takes longer keeps its key and lets the next one begin, in ms. */
const slowMs = 250;

/**
 * Does the same work for many keys, a bounded number at a time, so that one that hangs or fails costs
 * the others next to nothing. Work that is slow goes on beside what follows; while it does, its key is
 * passed over, so there is never more than one for a key. The work must end by itself.
 */
export class SideBySide {
  readonly #options: SideBySideOptions;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: SideBySideOptions) {
    this.#options = options;
  }

  /** Resolves when the work for every key that was free has ended or turned out slow. Never rejects. */
  async run(keys: Iterable<string>, work: (key: string) => Promise<void>): Promise<void> {
    const waiting = [...keys].values();
    const next = async (): Promise<void> => {
      for (const key of waiting) {
        if (!this.#underWay.has(key)) await this.#endedOrSlow(this.#begin(key, work));
      }
    };
    await Promise.all(Array.from({ length: width }, next));
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #begin(key: string, work: (key: string) => Promise<void>): Promise<void> {
    const done = work(key)
      .catch((error: unknown) => this.#options.onError(key, error))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, done);
    return done;
  }

  async #endedOrSlow(done: Promise<void>): Promise<void> {
    const timer = new AbortController();
    const slow = this.#options.clock.sleep(slowMs, timer.signal).catch(() => undefined);
    await Promise.race([done, slow]);
    timer.abort(notNeeded);
  }
}
