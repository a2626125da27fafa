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
  /** Who polled before it and after it, where the journal says that. */
  before?: string | undefined;
  after?: string | undefined;
}

/** Every time that a scale set was without a held poll, after its first one. */
export function pollGaps(entries: Entries): Gap[] {
  const tracks = new Map<string, Track>();
  const gaps: Gap[] = [];
  for (const entry of entries) {
    const { scaleSet, event } = entry;
    if (event !== 'held' && event !== 'ended') continue;
    const track = tracks.get(scaleSet) ?? { held: 0, poller: undefined, gap: undefined };
    tracks.set(scaleSet, track);
    if (event === 'held') beginPoll(track, entry);
    else if (endPoll(track, entry)) gaps.push(track.gap);
  }
  return gaps;
}

interface Track {
  held: number;
  /** Whose poll was the last that began. */
  poller: string | undefined;
  gap: Gap | undefined;
}

function beginPoll(track: Track, { at, by }: JournalEntry): void {
  track.held += 1;
  track.poller = by;
  if (track.gap) Object.assign(track.gap, { toMs: at }, by === undefined ? {} : { after: by });
  track.gap = undefined;
}

/** Whether a gap begins. */
function endPoll(track: Track, { scaleSet, at }: JournalEntry): track is Track & { gap: Gap } {
  const { poller } = track;
  track.held -= 1;
  if (track.held > 0) return false;
  track.gap = { scaleSet, fromMs: at, toMs: undefined };
  if (poller !== undefined) track.gap.before = poller;
  return true;
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
