import { setImmediate } from 'node:timers/promises';

/**
 * Lets pieces of work that hold the process up run one at a time, with all that waits in between: two
 * decisions about ten thousand records must not be one pause of the process.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async run<T>(work: () => T): Promise<T> {
    const mine = this.#last.then(async () => {
      await setImmediate();
      return work();
    });
    this.#last = mine.catch(() => undefined);
    return await mine;
  }
}
