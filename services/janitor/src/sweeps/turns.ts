import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@baton/shared/time';

/**
 * After a piece of work the next one waits for so many times as long as it took: a deletion beside takes a
 * dozen short steps, and must not meet a decision at each of them.
 */
const restPerWork = 4;

/**
 * Lets pieces of work that hold the process up run one at a time, with all that waits in between: two
 * decisions about ten thousand records must not be one pause of the process.
 */
export class Turns {
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();
  #restUntilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws what the work throws, or the signal's reason when it is aborted first. */
  async run<T>(work: () => T, signal: AbortSignal): Promise<T> {
    const mine = this.#last.then(() => this.#run(work, signal));
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  async #run<T>(work: () => T, signal: AbortSignal): Promise<T> {
    const clock = this.#clock;
    const restMs = this.#restUntilMs - clock.monotonic();
    await (restMs > 0 ? clock.sleep(restMs, signal) : setImmediate(undefined, { signal }));
    const startMs = clock.monotonic();
    try {
      return work();
    } finally {
      const nowMs = clock.monotonic();
      this.#restUntilMs = nowMs + restPerWork * (nowMs - startMs);
    }
  }
}
