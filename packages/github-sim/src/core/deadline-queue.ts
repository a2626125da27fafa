import type { Clock } from '@baton/shared/time';

/** Longer delays make Node's timers fire at once. */
const maxSleepMs = 2 ** 31 - 1;

interface DeadlineQueueOptions<T> {
  clock: Clock;
  delayMs: number;
  /** Called when an item's time has come; it must check whether the item still matters. */
  onDue: (item: T) => void;
  /** Ends all waiting. */
  stop: AbortSignal;
}

/**
 * Items that all fall due after the same delay: first in, first out, with one timer for all of
 * them, so that thousands of held polls cost one sleep.
 */
export class DeadlineQueue<T> {
  readonly #options: DeadlineQueueOptions<T>;
  #items: { at: number; item: T }[] = [];
  #head = 0;
  #running = false;

  constructor(options: DeadlineQueueOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    this.#items.push({ at: this.#options.clock.monotonic() + this.#options.delayMs, item });
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { clock, stop, onDue } = this.#options;
    this.#running = true;
    try {
      for (let next = this.#items[this.#head]; next; next = this.#items[this.#head]) {
        const waitMs = next.at - clock.monotonic();
        if (waitMs > 0) {
          await clock.sleep(Math.min(waitMs, maxSleepMs), stop);
          continue;
        }
        this.#advance();
        onDue(next.item);
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    } finally {
      this.#running = false;
    }
  }

  #advance(): void {
    this.#head += 1;
    if (this.#head < 1024 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
