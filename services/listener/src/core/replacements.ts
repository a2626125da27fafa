import { backoffMs, type Random } from '@baton/shared/retry';

/** Replacements older than this are history, in ms. */
const windowMs = 15 * 60_000;
/** So many in the window is no incident of GitHub's any more, but a way of life. */
const tooMany = 5;
/** So many are remembered: more decide nothing. */
const kept = 20;
/** A replacement that follows another this closely is waited with, in ms. */
const closeMs = 60_000;

/** The replacements that still count; the newest last. Pure. */
export function recentReplacements(replacedAt: readonly string[], now: number): string[] {
  return replacedAt
    .filter((at) => now - Date.parse(at) < windowMs)
    .toSorted()
    .slice(-kept);
}

/** What to tell the operator about recent replacements; undefined when there is nothing to say. Pure. */
export function replacementsText(recent: readonly string[]): string | undefined {
  if (recent.length < tooMany) return undefined;
  return `the session was replaced ${tooMany} times or more within ${windowMs / 60_000} minutes: its jobs may come late, or come back as cancelled; see baton_sessions_replaced_total for the reasons, and whether another client uses this scale set`;
}

/**
 * How long to wait before a session is replaced once more, in ms: not at all the first time, then
 * longer the more often it happened within a minute of each other, up to `maxMs`. Pure.
 */
export function replacementPauseMs(
  replacedAt: readonly string[],
  { now, maxMs, random }: { now: number; maxMs: number; random: Random },
): number {
  let inARow = 0;
  let next = now;
  for (const at of replacedAt.toReversed()) {
    if (next - Date.parse(at) > closeMs) break;
    inARow += 1;
    next = Date.parse(at);
  }
  if (inARow === 0) return 0;
  return backoffMs(inARow - 1, { baseMs: 1_000, maxMs, minMs: Math.min(500, maxMs) }, random);
}
