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
    this.#next ??= this.#running.catch(() => undefined).then(() => this.#start());
    await this.#next;
  }

  async #start(): Promise<void> {
    this.#next = undefined;
    this.#running = this.#work();
    try {
      await this.#running;
    } finally {
      // Until the next one has begun, who asks waits for that.
      if (!this.#next) this.#running = undefined;
    }
  }
}
