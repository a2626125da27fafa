/** Limits that the REST API reported with its answer. */
export interface RateLimit {
  remaining: number;
  limit?: number;
  /** ISO 8601. */
  resetAt?: string;
}

interface Headers {
  header(name: string): string | undefined;
}

/** What an answer of the REST API says about the primary limit; the Actions service says nothing. */
export function readRateLimit(answer: Headers): RateLimit | undefined {
  const remaining = readNumber(answer, 'x-ratelimit-remaining');
  if (remaining === undefined) return undefined;
  const limit = readNumber(answer, 'x-ratelimit-limit');
  const resetSeconds = readNumber(answer, 'x-ratelimit-reset');
  const resetAt = new Date((resetSeconds ?? Number.NaN) * 1000);
  return {
    remaining,
    ...(limit === undefined ? {} : { limit }),
    ...(Number.isNaN(resetAt.getTime()) ? {} : { resetAt: resetAt.toISOString() }),
  };
}

/** When the server wrote the answer by its own clock, in ms since 1970. */
export function readServerTime(answer: Headers): number | undefined {
  const ms = Date.parse(answer.header('date') ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * How long the answer asks to wait, in ms. `Retry-After` holds seconds or an HTTP date; a used-up
 * primary limit says when it starts again.
 */
export function readRetryAfter(
  answer: Headers,
  rateLimit: RateLimit | undefined,
  nowMs: number,
): number | undefined {
  const value = answer.header('retry-after');
  if (value !== undefined) {
    const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  if (rateLimit?.remaining !== 0 || rateLimit.resetAt === undefined) return undefined;
  return Math.max(0, Date.parse(rateLimit.resetAt) - nowMs);
}

function readNumber(answer: Headers, name: string): number | undefined {
  const value = Number(answer.header(name) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}
