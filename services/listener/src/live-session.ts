import type { ScaleSetClient, Session, Statistics } from '@baton/scaleset';
import type { Secret } from '@baton/shared/config';
import type { Lease } from '@baton/shared/lease';
import type { Random } from '@baton/shared/retry';
import { attributes, inSpan, type Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';
import { refreshInMs } from './core/token-refresh.ts';

interface LiveSessionDeps {
  client: ScaleSetClient;
  lease: Lease;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** After an early refresh that failed, in ms. */
const retryMs = 60_000;

/** An open session whose queue token is kept fresh. */
export class LiveSession {
  readonly #deps: LiveSessionDeps;
  readonly #githubScaleSetId: number;
  #session: Session;
  /** Monotonic time at which the token is to be replaced. */
  #refreshAt: number;
  #refreshing: Promise<void> | undefined;

  constructor(deps: LiveSessionDeps, githubScaleSetId: number, session: Session) {
    this.#deps = deps;
    this.#githubScaleSetId = githubScaleSetId;
    this.#session = session;
    this.#refreshAt = this.#dueAt(session.queueToken);
  }

  get sessionId(): string {
    return this.#session.sessionId;
  }

  get queue(): { queueUrl: string; token: Secret } {
    return { queueUrl: this.#session.queueUrl, token: this.#session.queueToken };
  }

  /** The scale set's statistics as of the last answer. */
  get statistics(): Statistics | undefined {
    return this.#session.statistics;
  }

  /**
   * A fresh queue token, unless `stale` is not the current one any more. Single flight.
   * @throws GitHubApiError `session-gone` when GitHub has evicted the session.
   */
  async refresh(stale: Secret): Promise<void> {
    if (stale !== this.#session.queueToken) return;
    const told = { attributes: { [attributes.session]: this.sessionId } };
    this.#refreshing ??= inSpan('refresh session', told, () => this.#refreshNow()).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** Refreshes before the token ends, until the signal is aborted. */
  async keepFresh(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(this.#refreshAt - clock.monotonic(), signal).catch(() => undefined);
      if (isAborted(signal)) return;
      // Replaced in the meantime, because a call found its end: the new one has its own time.
      if (clock.monotonic() < this.#refreshAt) continue;
      this.#refreshAt = clock.monotonic() + retryMs;
      // Failing here costs nothing: the poll finds the end of the token and refreshes by itself.
      await this.refresh(this.queue.token).catch((err: unknown) => {
        log.warn({ err }, 'queue token could not be refreshed early');
      });
    }
  }

  async #refreshNow(): Promise<void> {
    const { client, lease } = this.#deps;
    await lease.renew();
    const { sessionId } = this.#session;
    this.#session = await client.refreshSession(this.#githubScaleSetId, sessionId, {
      signal: lease.signal,
    });
    this.#refreshAt = this.#dueAt(this.#session.queueToken);
  }

  /** Up to 5 % earlier: tokens that were given at one time do not end at one time. */
  #dueAt(token: Secret): number {
    const { clock, random } = this.#deps;
    const inMs = refreshInMs(token.reveal(), clock.now());
    return clock.monotonic() + inMs * (1 - 0.05 * random());
  }
}
