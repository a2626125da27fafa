import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../time/index.ts';

const resolutionMs = 20;
/** However many read, none of them misses what another has read, as long as it reads so often; in ms. */
const windowMs = 60_000;

/** Watches how long the event loop lets others wait. */
export class EventLoopDelay {
  readonly #clock: Clock;
  readonly #monitor = monitorEventLoopDelay({ resolution: resolutionMs });
  #before = 0;
  #since: number;

  /** Begins to watch. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
    this.#monitor.enable();
  }

  /** The longest wait of the last one to two minutes, in seconds; longer ago where nobody read. */
  longest(): number {
    // What it measures includes the time that it sleeps itself.
    const now = Math.max(0, this.#monitor.max / 1e9 - resolutionMs / 1_000);
    const longest = Math.max(this.#before, now);
    if (this.#clock.monotonic() - this.#since >= windowMs) {
      this.#before = now;
      this.#since = this.#clock.monotonic();
      this.#monitor.reset();
    }
    return longest;
  }
}
