import { isGitHubError, type JobMessage, type ScaleSetClient } from '@baton/scaleset';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { DemandCounter } from './core/demand-counter.ts';
import { OfferBook } from './core/offer-book.ts';
import type { QueueCalls } from './message-pipeline-calls.ts';

interface OffersDeps {
  client: ScaleSetClient;
  calls: QueueCalls;
  /** How many runners GitHub is told that there could be in all. */
  capacity: { readonly current: number };
  demand: DemandCounter;
  clock: Clock;
  log: Logger;
}

interface OffersOptions {
  githubScaleSetId: number;
  /** False for github.com, which assigns by itself: its list is never asked for. */
  supported: boolean;
  signal: AbortSignal;
}

/**
 * Acquires the jobs that Enterprise Server offers, no more than could run: some of its versions offer
 * whatever waits. The others wait here, and in its list, until there is room.
 */
export class Offers {
  readonly #deps: OffersDeps;
  readonly #options: OffersOptions;
  readonly #book = new OfferBook();
  #supported: boolean;
  /** One call after another: what the one before was granted takes room from the next. */
  #acquiring: Promise<unknown> = Promise.resolve();

  constructor(deps: OffersDeps, options: OffersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#supported = options.supported;
  }

  /** To be told together with the demand what a message says. */
  onJobs(jobs: readonly JobMessage[]): void {
    this.#book.onJobs(jobs);
  }

  /**
   * Acquires these jobs and earlier ones, as far as there is room.
   * @throws GitHubApiError `session-gone` or `scale-set-not-found`.
   */
  async take(offered: readonly string[]): Promise<void> {
    this.#book.offer(offered);
    await this.#acquire();
  }

  /** There may be more room. Best effort, never rejects. */
  async takeMore(): Promise<void> {
    if (this.#book.isEmpty) return;
    await this.#acquire().catch((err: unknown) =>
      this.#deps.log.debug({ err }, 'nothing acquired'),
    );
  }

  /**
   * Asks for the jobs that wait although nobody offers them any more: the message with their offer is
   * gone, or what was answered to it was lost. As many are acquired as there is room for, or as there
   * are `idle` runners, whose jobs the statistics invented. Best effort, never rejects; a server that
   * does not know the call is not asked again.
   */
  async recover(idle = 0): Promise<void> {
    const { client, capacity, log } = this.#deps;
    const { githubScaleSetId, signal } = this.#options;
    if (!this.#supported || capacity.current === 0) return;
    try {
      const waiting = await client.acquirableJobs(githubScaleSetId, { signal });
      if (waiting.length === 0) return;
      this.#book.replace(waiting.map(({ runnerRequestId }) => runnerRequestId));
      const acquired = await this.#acquire(Math.min(idle, capacity.current));
      if (acquired > 0) log.warn({ waiting: waiting.length, acquired }, 'waiting jobs acquired');
    } catch (error) {
      if (signal.aborted) return;
      if (isGitHubError(error, 'not-found')) this.#supported = false;
      else log.warn({ err: error }, 'waiting jobs could not be acquired');
    }
  }

  async #acquire(atLeast = 0): Promise<number> {
    const turn = this.#acquiring.then(() => this.#acquireNow(atLeast));
    this.#acquiring = turn.catch(() => undefined);
    return await turn;
  }

  /** Goes on behind offers that are somebody else's by now, until the room is used. */
  async #acquireNow(atLeast: number): Promise<number> {
    const { calls, capacity, demand, clock } = this.#deps;
    for (let acquired = 0; ; ) {
      const now = clock.monotonic();
      const room = this.#book.room(capacity.current, demand.assignedNow(now), now);
      const ids = this.#book.next(Math.max(room, atLeast - acquired));
      if (ids.length === 0) return acquired;
      let granted: readonly string[] | undefined;
      try {
        granted = await calls.acquire(ids);
      } finally {
        if (granted) this.#book.answered(granted, clock.monotonic());
        else this.#book.putBack();
      }
      if (!granted) return acquired;
      acquired += granted.length;
    }
  }
}
