import type { JournalEntry } from '@baton/github-sim';

type Entries = readonly JournalEntry[];

/** When each scale set was polled first at or after `fromMs` (wall clock), by its name. */
export function firstPolls(entries: Entries, fromMs = 0): Map<string, number> {
  const first = new Map<string, number>();
  for (const { scaleSet, event, at } of entries) {
    if (event === 'held' && at >= fromMs && !first.has(scaleSet)) first.set(scaleSet, at);
  }
  return first;
}

/** A time without a held poll, on the wall clock. */
export interface Gap {
  scaleSet: string;
  fromMs: number;
  /** Undefined while it lasts. */
  toMs: number | undefined;
}

/** Every time that a scale set was without a held poll, after its first one. */
export function pollGaps(entries: Entries): Gap[] {
  const held = new Map<string, number>();
  const open = new Map<string, Gap>();
  const gaps: Gap[] = [];
  for (const { scaleSet, event, at } of entries) {
    if (event !== 'held' && event !== 'ended') continue;
    const count = (held.get(scaleSet) ?? 0) + (event === 'held' ? 1 : -1);
    held.set(scaleSet, count);
    if (count === 0) {
      const gap = { scaleSet, fromMs: at, toMs: undefined };
      open.set(scaleSet, gap);
      gaps.push(gap);
    } else {
      const gap = open.get(scaleSet);
      if (gap) gap.toMs = at;
      open.delete(scaleSet);
    }
  }
  return gaps;
}

/** From the delivery of each message to its deletion, in ms; of those that were deleted. */
export function messageTimes(entries: Entries): number[] {
  const delivered = new Map<string, number>();
  const times: number[] = [];
  for (const { scaleSet, event, at, messageId } of entries) {
    const key = `${scaleSet} ${messageId ?? ''}`;
    if (event === 'delivered' && !delivered.has(key)) delivered.set(key, at);
    const from = delivered.get(key);
    if (event === 'deleted' && from !== undefined) times.push(at - from);
  }
  return times;
}
