import type { Standstill } from './witness.ts';

/**
 * From the end of a poll to the next one are about so many steps of processes, one after the other: the answer
 * is read, its message is handled with NATS, the next poll is sent, and held.
 */
const stepsInARow = 4;

/** How much longer something may take that was done from then to then, as the machine was slow. Pure. */
export function slownessMs(
  standstills: readonly Standstill[],
  { fromMs, toMs }: Standstill,
): number {
  return (
    stepsInARow * longestMs(standstills.filter((one) => one.toMs >= fromMs && one.fromMs <= toMs))
  );
}

export function longestMs(standstills: readonly Standstill[]): number {
  return standstills.reduce((longest, { fromMs, toMs }) => Math.max(longest, toMs - fromMs), 0);
}
