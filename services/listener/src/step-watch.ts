import { AppError } from '@baton/shared/errors';
import type { Clock } from '@baton/shared/time';

/** A loop made no step in time: whoever runs it gives up what it holds, so that another can go on. */
export class StuckError extends AppError {
  constructor(what: string, forMs: number) {
    super('timeout', `${what} made no step for ${Math.round(forMs / 1_000)} s`, {
      retryable: true,
    });
  }
}

/** While no step is due it is looked again after this long, in ms. */
const lookAgainMs = 30_000;

/**
 * Notices that a loop stands still although every one of its steps has a deadline of its own. The
 * loop says before each step how long that may take; outages and waits are steps like others.
 */
export class StepWatch {
  readonly #clock: Clock;
  readonly #what: string;
  #startedAt = 0;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, what: string) {
    this.#clock = clock;
    this.#what = what;
  }

  /** A step begins; the next one is due within `maxMs`. */
  begin(maxMs: number): void {
    this.#startedAt = this.#clock.monotonic();
    this.#dueAt = this.#startedAt + maxMs;
  }

  /** No step is due: the loop waits for something that is watched by others. */
  rest(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  /** Resolves with what is wrong once a step is overdue; with undefined when the signal is aborted. */
  async untilStuck(signal: AbortSignal): Promise<StuckError | undefined> {
    for (;;) {
      const now = this.#clock.monotonic();
      if (now >= this.#dueAt) return new StuckError(this.#what, now - this.#startedAt);
      try {
        await this.#clock.sleep(Math.min(this.#dueAt - now, lookAgainMs), signal);
      } catch {
        return undefined;
      }
    }
  }
}
