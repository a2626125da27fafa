import type { JournalEntry } from '@baton/github-sim';
import type { Gap } from '../polls.ts';
import {
  type Excuse,
  excusesOfStrikes,
  handOverMs,
  type StrikeEvidence,
  type Timing,
} from './excuses.ts';
import { excusesOfGitHub } from './github-excuses.ts';

/** A held poll that ends is followed by the next one this soon, in ms. */
const undisturbedMs = 1_000;

/** A gap that lasted longer than what was done allows. */
export interface BrokenGap {
  gap: Gap;
  /** Wall clock, ms. */
  allowedUntilMs: number;
  /** What counted, in order. */
  excuses: Excuse[];
}

interface Evidence extends StrikeEvidence {
  journal: readonly JournalEntry[];
  /** When the books were closed, wall clock in ms. */
  endMs: number;
}

/** The gaps that nothing excuses. Pure. */
export function brokenGaps(gaps: readonly Gap[], evidence: Evidence, timing: Timing): BrokenGap[] {
  return gaps.flatMap((gap) => {
    const toMs = gap.toMs ?? evidence.endMs;
    if (toMs - gap.fromMs <= atFirstMs(gap)) return [];
    const involved = involvedIn(gap, evidence);
    const excuses = [
      ...excusesOfStrikes(gap, involved, evidence, timing),
      ...excusesOfGitHub(gap, involved, evidence, timing),
    ];
    const allowed = allowedUntil(gap, excuses);
    return toMs > allowed.allowedUntilMs ? [{ gap, ...allowed }] : [];
  });
}

/**
 * Until when a gap is allowed: a second from its begin, or as long as a hand-over takes when somebody else
 * polls afterwards; and, in the order in which they began, as long as each excuse reaches that began no
 * later than what was allowed until then. What comes when the scale
 * set should have been polled again excuses nothing, so that strikes on others do not add up:
 *
 *     allowed₀ = begin + 1 s, or 2 s
 *     allowedₙ = max(allowedₙ₋₁, untilₙ)   while fromₙ ≤ allowedₙ₋₁
 *
 * Who takes a scale set over is unseen in the books until its first call about it, a moment later: of
 * listeners that neither polled nor called about it, one excuse counts after each that calls for a takeover.
 */
export function allowedUntil(gap: Gap, excuses: readonly Excuse[]): Omit<BrokenGap, 'gap'> {
  let allowedUntilMs = gap.fromMs + atFirstMs(gap);
  let takeover = false;
  let unseen = false;
  const counted: Excuse[] = [];
  const felt = excuses.filter(({ untilMs }) => untilMs > gap.fromMs);
  for (const excuse of felt.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (excuse.fromMs > allowedUntilMs) break;
    if (excuse.unseen && (!takeover || unseen || excuse.fromMs < gap.fromMs)) continue;
    if (excuse.unseen) unseen = true;
    else if (excuse.takeover) [takeover, unseen] = [true, false];
    allowedUntilMs = Math.max(allowedUntilMs, excuse.untilMs);
    counted.push(excuse);
  }
  return { allowedUntilMs, excuses: counted };
}

function atFirstMs({ before, after }: Gap): number {
  return before !== undefined && after !== undefined && before !== after
    ? handOverMs
    : undisturbedMs;
}

/** The listeners that polled the scale set before the gap and after it, or called GitHub about it in between. */
function involvedIn(
  { scaleSet, fromMs, toMs = Number.POSITIVE_INFINITY, before, after }: Gap,
  { journal, listeners }: Evidence,
): Set<string> {
  const callers = journal
    .filter((entry) => entry.scaleSet === scaleSet && entry.at >= fromMs && entry.at <= toMs)
    .map(({ by }) => by);
  const names = [before, after, ...callers].filter((name) => name !== undefined);
  return new Set(names.filter((name) => listeners.includes(name)));
}
