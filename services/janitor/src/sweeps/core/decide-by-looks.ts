import type { Evidence } from '@baton/shared/contracts';
import type { Decision, Finding, SweepViews } from '../sweep.ts';
import type { NamedView } from './lists.ts';
import { hasLasted, type Sighting, type Sightings, sightAgain } from './sightings.ts';

/** What one look at something says. */
export type Verdict =
  | { kind: 'fine' }
  /** A list is missing, or a field: nothing is decided, and what was seen before is neither more nor less. */
  | { kind: 'unknown'; why?: string }
  /** Something has to be done when it has looked like this for `lastingMs`, in two looks at the least. */
  | {
      kind: 'odd';
      what: string;
      lastingMs: number;
      /** The lists that say so. */
      lists: readonly NamedView[];
      find: (proof: Proof) => Finding;
    };

export interface Proof {
  evidence: Evidence;
  /** For how long, for people: `12 min`. */
  span: string;
}

interface Question<T> {
  items: readonly T[];
  keyOf: (item: T) => string;
  judge: (item: T) => Verdict;
  problem?: string | undefined;
}

export const fine: Verdict = { kind: 'fine' };

/** Of another part of the sweep, or of a provider whose list could not be had, which is told elsewhere. */
export const unseen: Verdict = { kind: 'unknown' };

export function unknown(why: string): Verdict {
  return { kind: 'unknown', why };
}

/** Judges each item once, and finds those that have looked odd for long enough. Pure. */
export function decideByLooks<T>(
  views: SweepViews,
  before: Sightings,
  { items, keyOf, judge, problem }: Question<T>,
): Decision<Sightings> {
  const memory = new Map<string, Sighting>();
  const findings: Finding[] = [];
  const left: Record<string, number> = {};
  let lookedAt = 0;
  for (const item of items) {
    const [key, verdict] = [keyOf(item), judge(item)];
    const { seen, finding, why } = weigh(views, before.get(key), verdict);
    if (seen) memory.set(key, seen);
    if (finding) findings.push(finding);
    if (why !== undefined) left[why] = (left[why] ?? 0) + 1;
    if (verdict.kind !== 'unknown') lookedAt += 1;
  }
  return { findings, lookedAt, left, memory, ...(problem === undefined ? {} : { problem }) };
}

interface Weighed {
  seen?: Sighting | undefined;
  finding?: Finding;
  /** Why it is left alone. */
  why?: string | undefined;
}

function weigh(views: SweepViews, before: Sighting | undefined, verdict: Verdict): Weighed {
  if (verdict.kind === 'fine') return {};
  if (verdict.kind === 'unknown') return { seen: before, why: verdict.why };
  const { what, lists, lastingMs, find } = verdict;
  const seen = sightAgain(before, what, lookMs(views, lists));
  if (hasLasted(seen, lastingMs)) return { seen, finding: find(proofOf(views, lists, seen)) };
  return { seen, why: seen.looks < 2 ? 'seen once' : 'not for long enough' };
}

/** A look is as old as the oldest thing that it looked at. */
function lookMs({ after }: SweepViews, lists: readonly NamedView[]): number {
  return Math.min(
    ...[after, ...lists.map(({ view }) => view)].map((view) => view.askedMonotonicMs),
  );
}

function proofOf(
  { after, nowMs, monotonicMs }: SweepViews,
  lists: readonly NamedView[],
  { sinceMs, lastMs, looks }: Sighting,
): Proof {
  const views = [{ name: 'records', view: after }, ...lists].map(({ name, view }) => ({
    view: name,
    at: new Date(view.askedMs).toISOString(),
    count: view.items.length,
  }));
  const since = new Date(nowMs - (monotonicMs - sinceMs)).toISOString();
  return { evidence: { views, since, looks }, span: spanText(lastMs - sinceMs) };
}

export function spanText(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Two questions that one sweep asks. */
export function together(
  one: Decision<Sightings>,
  other: Decision<Sightings>,
): Decision<Sightings> {
  const left = { ...one.left };
  for (const [why, count] of Object.entries(other.left)) left[why] = (left[why] ?? 0) + count;
  const problem = [one.problem, other.problem].filter((text) => text !== undefined).join('; ');
  return {
    findings: [...one.findings, ...other.findings],
    lookedAt: one.lookedAt + other.lookedAt,
    left,
    memory: new Map([...one.memory, ...other.memory]),
    ...(problem === '' ? {} : { problem }),
  };
}
