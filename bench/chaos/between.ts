import type { Random } from '@baton/shared/retry';

/** A whole number of this range. */
export function between(random: Random, least: number, most: number): number {
  return Math.round(least + random() * (most - least));
}
