import type { JournalEntry } from '@baton/github-sim';
import type { Gap } from '../polls.ts';
import type { Span } from './cut.ts';
import {
  type Excuse,
  excusesOfStrikes,
  handOverMs,
  type Involved,
  type StrikeEvidence,
  type Timing,
  takeMs,
} from './excuses.ts';
import { excusesOfGitHub } from './github-excuses.ts';
import { slownessMs } from './machine/slowness.ts';
import type { Sight } from './machine/witness.ts';

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
  /** Of the machine. */
  sights: readonly Sight[];
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
    const span = { fromMs: gap.fromMs, toMs };
    const slowMs = slownessMs(evidence.sights, span, { starts: isStartedIn(span, evidence) });
    const allowedUntilMs = allowed.allowedUntilMs + slowMs;
    return toMs > allowedUntilMs ? [{ gap, ...allowed, allowedUntilMs }] : [];
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
 * Who takes a scale set over is unseen in the books until its first call about it: of listeners that
 * neither polled nor called about it, what befell them counts after an excuse that calls for a takeover; of
 * those that did not even call for a token, one counts.
 */
export function allowedUntil(gap: Gap, excuses: readonly Excuse[]): Omit<BrokenGap, 'gap'> {
  let allowedUntilMs = gap.fromMs + atFirstMs(gap);
  let takeover = false;
  let silent = false;
  const counted: Excuse[] = [];
  const felt = excuses.filter(({ untilMs }) => untilMs > gap.fromMs);
  for (const excuse of felt.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (excuse.fromMs > allowedUntilMs) break;
    if (excuse.unseen && (!takeover || excuse.fromMs < gap.fromMs)) continue;
    if (excuse.unseen === 'silent' && silent) continue;
    silent ||= excuse.unseen === 'silent';
    takeover ||= excuse.takeover === true;
    allowedUntilMs = Math.max(allowedUntilMs, excuse.untilMs);
    counted.push(excuse);
  }
  return { allowedUntilMs, excuses: counted };
}

/** Whether a listener was started again then. */
function isStartedIn({ fromMs, toMs }: Span, { disturbances, listeners }: StrikeEvidence): boolean {
  return disturbances.some(
    ({ step, where, ...strike }) =>
      step.kind === 'strike' &&
      step.how !== 'freeze' &&
      listeners.includes(where) &&
      strike.fromMs <= toMs &&
      strike.toMs + takeMs >= fromMs,
  );
}

function atFirstMs({ before, after }: Gap): number {
  return before !== undefined && after !== undefined && before !== after
    ? handOverMs
    : undisturbedMs;
}

/** Which listeners the books show in a gap: what they did or called for in it. */
function involvedIn(
  { scaleSet, fromMs, toMs = Number.POSITIVE_INFINITY, before, after }: Gap,
  { journal, listeners }: Evidence,
): Involved {
  const within = journal.filter(({ at }) => at >= fromMs && at <= toMs);
  const namesOf = (entries: readonly JournalEntry[]) =>
    entries.flatMap(({ by = '' }) => (listeners.includes(by) ? [by] : []));
  const ownCalls = within.filter((entry) => entry.scaleSet === scaleSet);
  const polled = [before, after].filter((name) => name !== undefined);
  return {
    shown: new Set([...polled, ...namesOf(ownCalls)]),
    calling: new Set(namesOf(within.filter((entry) => entry.scaleSet === ''))),
  };
}
