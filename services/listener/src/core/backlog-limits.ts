/** When what piled up at GitHub while nobody listened counts as read; in ms. */
export interface BacklogLimits {
  /** A poll that is not answered for so long is one that GitHub holds: nothing waits. */
  heldMs: number;
  /** So long after the opening of the session the backlog is over even if no poll was held. */
  maxMs: number;
}

/**
 * A poll that ended without a message after this time was held for certain: no network delays an
 * answer so that it says something else. Some servers and proxies answer so at once; they hold nothing.
 */
export const emptyMs = 250;
const maxHeldMs = 3_000;
/**
 * The first poll may need a connection of its own, which is up to four round trips more than the call
 * that opened the session on one that was there.
 */
const openingsCount = 5;
const holdsCount = 8;

/**
 * Derived from how long the call that opened the session took: an answer that is merely slow must not
 * be taken for a poll that is held, or the statistics of long ago would count. Pure.
 */
export function backlogLimits(openingMs: number): BacklogLimits {
  const heldMs = Math.min(maxHeldMs, Math.max(emptyMs, openingsCount * openingMs));
  return { heldMs, maxMs: holdsCount * heldMs };
}
