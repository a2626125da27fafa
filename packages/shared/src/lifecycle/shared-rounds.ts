/**
 * Work that many ask for at once. Each waits for a round that began after its call; all who ask while
 * one is under way share the next.
 */
export class SharedRounds {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Rejects when the round that was waited for does. */
  async run(): Promise<void> {
    if (!this.#running) return await this.#start();
    this.#next ??= this.#startAfter(this.#running);
    await this.#next;
  }

  async #startAfter(running: Promise<void>): Promise<void> {
    await running.catch(() => undefined);
    this.#next = undefined;
    await this.#start();
  }

  async #start(): Promise<void> {
    const running = this.#work();
    this.#running = running;
    try {
      await running;
    } finally {
      // Until the next one has begun, who asks waits for that.
      if (this.#running === running && !this.#next) this.#running = undefined;
    }
  }
}
