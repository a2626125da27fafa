import { isGitHubError, type MessageQueueClient } from '@baton/scaleset';
import type { Secret } from '@baton/shared/config';
import { AppError } from '@baton/shared/errors';
import { backoffMs, type Random } from '@baton/shared/retry';
import { attributes, inSpan, type Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { LiveSession } from './live-session.ts';

interface QueueCallsDeps {
  queue: MessageQueueClient;
  session: LiveSession;
  clock: Clock;
  random: Random;
  log: Logger;
}

const endsSession: ReadonlySet<string> = new Set(['session-gone', 'scale-set-not-found']);
/** How often offered jobs are asked for in a row. */
const acquireAttempts = 4;

const retryPolicy = { baseMs: 100, maxMs: 5_000, minMs: 50 };

/** The calls to the queue besides the poll: repeated through outages and ends of the token. */
export class QueueCalls {
  readonly #deps: QueueCallsDeps;
  readonly #signal: AbortSignal;

  constructor(deps: QueueCallsDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  /** @throws GitHubApiError when GitHub refuses for good, or the session is gone. */
  async delete(messageId: string): Promise<void> {
    const { queue, session } = this.#deps;
    await this.#retry('delete message', () =>
      queue.deleteMessage(messageId, { ...session.queue, signal: this.#signal }),
    );
  }

  /**
   * Accepts offered jobs (Enterprise Server); what is not acquired goes to nobody. Returns the ids
   * that were granted, perhaps fewer, perhaps none; undefined when nobody answered for a while: facts
   * must not wait for that. A refusal is not repeated: GitHub lists what still waits.
   * @throws GitHubApiError `session-gone` or `scale-set-not-found`.
   */
  async acquire(offered: readonly string[]): Promise<readonly string[] | undefined> {
    const { queue, session, log } = this.#deps;
    try {
      const acquire = () =>
        queue.acquireJobs(offered, { token: session.queue.token, signal: this.#signal });
      const told = { attributes: { [attributes.jobs]: offered.length } };
      const result = await inSpan('acquire jobs', told, () =>
        this.#retry('acquire jobs', acquire, acquireAttempts),
      );
      const granted = result.kind === 'acquired' ? result.ids : [];
      log.info({ offered: offered.length, granted: granted.length, kind: result.kind }, 'acquired');
      return granted;
    } catch (error) {
      if (!isGitHubError(error)) throw error;
      if (endsSession.has(error.kind)) throw error;
      log.error({ err: error, offered: offered.length }, 'github refused to give offered jobs');
      return error.retryable ? undefined : [];
    }
  }

  /** Repeats a call through outages and token ends, until the signal is aborted. */
  async #retry<T>(
    what: string,
    call: () => Promise<T>,
    attempts = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const { session, clock, random, log } = this.#deps;
    for (let attempt = 0; ; attempt += 1) {
      const { token } = session.queue;
      try {
        return await call();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (isGitHubError(error, 'unauthorized')) await this.#refresh(token);
        else if (!(isGitHubError(error) && error.retryable)) throw error;
        if (attempt + 1 >= attempts) throw error;
        log.warn({ what, err: error, attempt }, 'call about messages failed, trying again');
      }
      await clock.sleep(backoffMs(attempt, retryPolicy, random), this.#signal);
    }
  }

  /** A fresh token; that GitHub or NATS cannot be reached now is left to the next attempt. */
  async #refresh(stale: Secret): Promise<void> {
    try {
      await this.#deps.session.refresh(stale);
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error;
    }
  }
}
