/** That something looks odd: how, since when and when last (of the monotonic clock, ms), in how many looks. */
export interface Sighting {
  what: string;
  sinceMs: number;
  lastMs: number;
  looks: number;
}

/**
 * What looked odd so far, by what it is. Ages are counted from when this leader saw it first, because the
 * times in records and lists were written by the clocks of other hosts.
 */
export type Sightings = ReadonlyMap<string, Sighting>;

/**
 * What was seen before and after a longer gap has not been seen to last, in ms: after an outage GitHub
 * may list everybody as offline, as it did when the outage began.
 */
const longestGapMs = 900_000;

/** One look more. The same list looked at twice is one look. */
export function sightAgain(before: Sighting | undefined, what: string, atMs: number): Sighting {
  if (before?.what !== what || atMs - before.lastMs > longestGapMs) {
    return { what, sinceMs: atMs, lastMs: atMs, looks: 1 };
  }
  if (atMs <= before.lastMs) return before;
  return { ...before, lastMs: atMs, looks: before.looks + 1 };
}

/** Whether two looks or more have shown it, so far apart, in ms. */
export function hasLasted({ sinceMs, lastMs, looks }: Sighting, ms: number): boolean {
  return looks >= 2 && lastMs - sinceMs >= ms;
}
