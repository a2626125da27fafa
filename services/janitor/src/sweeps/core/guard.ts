import type { SweepConfirmation, SweepHold, SweepState } from '@baton/shared/contracts';
import type { Finding } from '../sweep.ts';

export interface GuardLimits {
  /** So many runners may a sweep mark within an hour, whatever their share. */
  max: number;
  /** Or this share of what it looked at: 0.3 is thirty percent. */
  share: number;
}

interface Suspect {
  /** Whether the sweep's marks are counted; those of orphans are held in any case. */
  guarded: boolean;
  findings: readonly Finding[];
  lookedAt: number;
}

interface Known {
  /** What stands in the state record. */
  recent: SweepState['recent'];
  hold: SweepHold | undefined;
  confirmation: Pick<SweepConfirmation, 'holdId'> | undefined;
  limits: GuardLimits;
  nowMs: number;
  /** Of the hold, if a new one begins. */
  newId: string;
  /** Whether all was looked at that should have been: what is not found for lack of a list stays held. */
  complete: boolean;
}

export interface Verdict {
  /** May be done now, in the order of the findings. */
  free: Finding[];
  /** Waits for a confirmation. */
  held: Finding[];
  /** What stands from now on; that of before where it still says what is held. */
  hold: SweepHold | undefined;
  /** The ids of the runners whose marks count as confirmed. */
  confirmed: ReadonlySet<string>;
}

const hourMs = 3_600_000;

/**
 * Whether what a sweep found may be done. Marks beyond what may go within an hour are held, whole, and
 * marks of orphans always. A confirmation frees the runners that its hold names and no others; they do
 * not count against the hour. A hold keeps its id while the runners in it only become fewer; when
 * others come, it is another one. Pure.
 */
export function guard(suspect: Suspect, known: Known): Verdict {
  const confirmed = confirmedIds(known);
  const isFree = (finding: Finding) => confirmed.has(idOf(finding));
  const suspects = suspect.findings.filter((one) => isSuspect(one, suspect.guarded));
  const open = suspects.filter((one) => !isFree(one));
  const counted = open.filter((one) => !isOrphan(one));
  const tooMany = counted.length > budgetOf(suspect, known);
  const held = open.filter((one) => tooMany || isOrphan(one));
  const heldIds = new Set(held.map(idOf));
  const free = suspect.findings.filter((one) => one.action !== 'mark' || !heldIds.has(idOf(one)));
  const pending = suspects.filter(isFree);
  // While confirmed runners are left the word for them must not become invalid by others that come.
  const found = holdOf(pending.length > 0 ? pending : held, suspect, known);
  const isNews = found !== undefined && found.id !== known.hold?.id;
  const hold = known.complete || isNews ? found : known.hold;
  return { free, held, hold, confirmed: new Set(pending.map(idOf)) };
}

/** What of it still counts, the oldest first. Pure. */
export function recentOf(recent: SweepState['recent'], nowMs: number): SweepState['recent'] {
  return recent.filter(({ at }) => nowMs - Date.parse(at) < hourMs);
}

/** The hold without the runners that have been marked by now; none when nobody is left. Pure. */
export function withoutMarked(
  hold: SweepHold | undefined,
  marked: ReadonlySet<string>,
): SweepHold | undefined {
  const runnerIds = hold?.runnerIds.filter((id) => !marked.has(id)) ?? [];
  return hold && runnerIds.length > 0 ? { ...hold, runnerIds, count: runnerIds.length } : undefined;
}

function isSuspect(finding: Finding, guarded: boolean): boolean {
  return finding.action === 'mark' && (guarded || isOrphan(finding));
}

function isOrphan(finding: Finding): boolean {
  return finding.action === 'mark' && finding.mark.reason === 'orphan';
}

export function idOf(finding: Finding): string {
  return finding.action === 'deregister' ? finding.runnerId : finding.runner.runnerId;
}

function confirmedIds({ hold, confirmation }: Known): ReadonlySet<string> {
  return new Set(hold && confirmation?.holdId === hold.id ? hold.runnerIds : []);
}

/** How many more may be marked now. */
function budgetOf({ lookedAt }: Suspect, { recent, limits, nowMs }: Known): number {
  const most = Math.max(limits.max, Math.floor(limits.share * lookedAt));
  const done = recentOf(recent, nowMs).reduce((sum, { count }) => sum + count, 0);
  return most - done;
}

function holdOf(
  held: readonly Finding[],
  { lookedAt }: Suspect,
  { hold: before, nowMs, newId }: Known,
): SweepHold | undefined {
  if (held.length === 0) return undefined;
  const runnerIds = held.map(idOf);
  const known = new Set(before?.runnerIds);
  const same = before && runnerIds.every((id) => known.has(id)) ? before : undefined;
  const orphans = held.filter(isOrphan).length;
  return {
    id: same?.id ?? newId,
    since: same?.since ?? new Date(nowMs).toISOString(),
    count: held.length,
    of: lookedAt,
    runnerIds,
    text: textOf(held, orphans, lookedAt),
  };
}

function textOf(held: readonly Finding[], orphans: number, lookedAt: number): string {
  if (orphans === held.length)
    return `${orphans} instances without a record that no scale set declares any more`;
  const share = Math.round((100 * held.length) / Math.max(lookedAt, 1));
  return `${held.length} of ${lookedAt} would be marked (${share} %), more than may go within an hour`;
}
