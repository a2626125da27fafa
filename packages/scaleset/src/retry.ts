import { type BackoffPolicy, backoffMs } from '@baton/shared/retry';
import { GitHubApiError } from './errors.ts';
import type { GitHubTransport } from './transport.ts';

interface RetryOptions {
  transport: GitHubTransport;
  /** How often the call is made in all. */
  attempts: number;
  policy: BackoffPolicy;
  /** No retry starts later than this many ms after the first attempt. */
  budgetMs: number;
  mayRetry: (error: GitHubApiError) => boolean;
  signal: AbortSignal;
}

/**
 * Repeats a call that may be made twice. Waits the longer of the backoff and of what GitHub asked
 * for; when that would pass the budget, the error is thrown at once.
 */
export async function retryCall<T>(
  { transport, attempts, policy, budgetMs, mayRetry, signal }: RetryOptions,
  call: (attempt: number) => Promise<T>,
): Promise<T> {
  const { clock, random, log } = transport;
  const lastStartMs = clock.monotonic() + budgetMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      if (!(error instanceof GitHubApiError) || attempt + 1 >= attempts || !mayRetry(error)) {
        throw error;
      }
      const delayMs = pauseAfter(error, backoffMs(attempt, policy, random));
      if (clock.monotonic() + delayMs >= lastStartMs) throw error;
      log.debug({ err: error, attempt, delayMs }, 'github call failed, trying again');
      if (delayMs > 0) await clock.sleep(delayMs, signal);
    }
  }
}

/** After a limit the gate holds the next attempt back: it knows for how long. */
function pauseAfter({ kind, retryAfterMs = 0 }: GitHubApiError, backoff: number): number {
  return Math.max(kind === 'rate-limited' ? 0 : backoff, retryAfterMs);
}
