import { errorText } from '@baton/shared/errors';
import { type Clock, notNeeded } from '@baton/shared/time';

interface StoreWatchOptions {
  /** For so long nothing may be stored while something waits for it, in ms. Default 30 s. */
  lateMs?: number | undefined;
  /** Told what is wrong and what to do, and undefined whenever something was stored. */
  tell: (text: string | undefined) => void;
}

/** Watches whether NATS stores what one scale set has to store; writes are repeated for ever. */
export class StoreWatch {
  readonly #clock: Clock;
  readonly #lateMs: number;
  readonly #tell: StoreWatchOptions['tell'];
  #waiting = 0;
  /** Monotonic time since when something waits and nothing was stored. */
  #since = 0;
  #reason: string | undefined;
  #idle = new AbortController();

  constructor(clock: Clock, { lateMs = 30_000, tell }: StoreWatchOptions) {
    this.#clock = clock;
    this.#lateMs = lateMs;
    this.#tell = tell;
  }

  /** Runs `work`, which resolves when NATS has stored something. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#begin();
    try {
      await work();
      this.#stored();
    } finally {
      this.#end();
    }
  }

  /** Why an attempt to store something failed. */
  readonly failed = (error: unknown): void => {
    this.#reason = errorText(error);
  };

  #begin(): void {
    this.#waiting += 1;
    if (this.#waiting > 1) return;
    this.#since = this.#clock.monotonic();
    this.#idle = new AbortController();
    void this.#watch(this.#idle.signal).catch(() => undefined);
  }

  #end(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#idle.abort(notNeeded);
  }

  #stored(): void {
    this.#since = this.#clock.monotonic();
    this.#reason = undefined;
    this.#tell(undefined);
  }

  /** Until the signal is aborted. */
  async #watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.#since + this.#lateMs - this.#clock.monotonic();
      if (leftMs <= 0) this.#tell(this.#text());
      await this.#clock.sleep(leftMs > 0 ? leftMs : this.#lateMs, signal);
    }
  }

  #text(): string {
    const forS = Math.round(this.#lateMs / 1_000);
    const why = this.#reason === undefined ? '' : ` (${this.#reason})`;
    return `NATS has stored nothing of this scale set for ${forS} s${why}: nothing is lost, but its messages wait and polling pauses. See whether a stream is full, missing or without a leader, or the disk of NATS is full ("baton doctor")`;
  }
}
