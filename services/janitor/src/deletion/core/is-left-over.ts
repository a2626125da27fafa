import type { Runner } from '@baton/shared/contracts';

/** A mark this young has a command of its own on the way, in ms. */
const commandMs = 3_000;

/**
 * Whether the runner was left lying: its command was lost, or it waited for another try. One that was marked
 * in the future was marked by a clock that is wrong, and is not waited for. Pure.
 */
export function isLeftOver({ mark, deletion, stateAt }: Runner, nowMs: number): boolean {
  if (!mark) return false;
  return deletion?.retryAt !== undefined || Math.abs(nowMs - Date.parse(stateAt)) > commandMs;
}
