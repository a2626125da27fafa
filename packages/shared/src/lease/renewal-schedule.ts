import type { Random } from '../retry/index.ts';

/**
 * How long to wait before the next renewal of a lease, in ms. Hundreds of leases that were taken at
 * one moment are spread over an interval with their first renewal, and drift apart by chance. Pure.
 */
export function renewalWaitMs(intervalMs: number, isFirst: boolean, random: Random): number {
  const least = isFirst ? 0.1 : 0.8;
  return intervalMs * (least + (1 - least) * random());
}
