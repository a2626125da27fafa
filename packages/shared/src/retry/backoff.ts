/** Exponential growth with full jitter, bounded at both ends. All times in ms. */
export interface BackoffPolicy {
  baseMs: number;
  maxMs: number;
  /** Lower bound of every delay, so that jitter never makes a hot loop. Default 0. */
  minMs?: number;
}

/** A number in [0, 1), like `Math.random`. Injected so that tests are deterministic. */
export type Random = () => number;

/** The delay before attempt `attempt + 1`; `attempt` counts from 0. Pure. */
export function backoffMs(attempt: number, policy: BackoffPolicy, random: Random): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 30));
  const floor = Math.min(policy.minMs ?? 0, ceiling);
  return floor + random() * (ceiling - floor);
}
