import { isGitHubError, type ScaleSetClient } from '@baton/scaleset';
import type { Logger } from '@baton/shared/telemetry';
import type { CapacityWatch } from './capacity-watch.ts';
import type { QueueCalls } from './message-pipeline-calls.ts';

interface LostOffersDeps {
  client: ScaleSetClient;
  calls: QueueCalls;
  capacity: CapacityWatch;
  log: Logger;
}

interface LostOffersOptions {
  githubScaleSetId: number;
  /** False for github.com, which assigns by itself: it is never asked. */
  supported: boolean;
  signal: AbortSignal;
}

/**
 * Acquires jobs that wait at Enterprise Server although nobody offers them any more: the message
 * with their offer is gone, or what was answered to it was lost.
 */
export class LostOffers {
  readonly #deps: LostOffersDeps;
  readonly #options: LostOffersOptions;
  #supported: boolean;

  constructor(deps: LostOffersDeps, options: LostOffersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#supported = options.supported;
  }

  /**
   * Asks for the jobs that wait and acquires them, no more than could run in all. Best effort, never
   * rejects; a server that does not know the call is not asked again.
   */
  async recover(): Promise<void> {
    const { client, calls, capacity, log } = this.#deps;
    const { githubScaleSetId, signal } = this.#options;
    if (!this.#supported || capacity.current === 0) return;
    try {
      const waiting = await client.acquirableJobs(githubScaleSetId, { signal });
      const ids = waiting.map(({ runnerRequestId }) => runnerRequestId);
      if (ids.length === 0) return;
      log.warn({ waiting: ids.length }, 'jobs wait that nobody offers, acquiring them');
      await calls.acquire(ids.slice(0, capacity.current));
    } catch (error) {
      if (signal.aborted) return;
      if (isGitHubError(error, 'not-found')) this.#supported = false;
      else log.warn({ err: error }, 'waiting jobs could not be listed');
    }
  }
}
