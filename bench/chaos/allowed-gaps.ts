import type { JournalEntry } from '@baton/github-sim';
import type { Gap } from '../polls.ts';
import type { Disturbance } from './driver.ts';
import type { GitHubFault } from './random-fault.ts';

/** How the system under test is set up, in ms. */
export interface Timing {
  leaseTtlMs: number;
  /** After so long the simulator frees the session of a client that is silent. */
  sessionExpiryMs: number;
}

/** A held poll that ends is followed by the next one this soon, in ms. */
const undisturbedMs = 1_000;
/** The cap of the back-off after failures, with its jitter and the call itself, in ms. */
const longestBackoffMs = 31_000;
/** A poll gives up waiting for an answer after this long; so does any other call, in ms. */
const pollDeadlineMs = 76_000;
const callDeadlineMs = 31_000;
/** Once GitHub has freed a session that nobody knows, in ms. */
const waitOutMs = 10_000;

/** No gap is excused for longer, in ms: a call that hangs, the TTL and the longest back-off. */
const longestGapMs = 120_000;

const sessionRoutes: readonly string[] = [
  'createSession',
  'refreshSession',
  'deleteSession',
  'getScaleSet',
  'listScaleSets',
  'updateScaleSet',
  'createRegistrationToken',
  'registerRunner',
];

/** A gap that lasted longer than anything that was done allows. */
export interface BrokenGap {
  gap: Gap;
  /** Wall clock, ms. */
  allowedUntilMs: number;
}

interface Evidence {
  disturbances: readonly Disturbance[];
  journal: readonly JournalEntry[];
  /** When the books were closed, wall clock in ms. */
  endMs: number;
}

/** The gaps that nothing excuses: all that was done is over, and its promised time has passed. */
export function brokenGaps(
  gaps: readonly Gap[],
  { disturbances, journal, endMs }: Evidence,
  timing: Timing,
): BrokenGap[] {
  return gaps.flatMap((gap) => {
    const toMs = gap.toMs ?? endMs;
    const excuses = disturbances
      .filter(({ fromMs }) => fromMs <= toMs)
      .map((disturbance) => disturbance.toMs + excusedMs(disturbance, gap, timing))
      .filter((untilMs) => untilMs > gap.fromMs);
    const conflicts = journal.some(
      ({ event, scaleSet, at }) =>
        event === 'conflict' && scaleSet === gap.scaleSet && at >= gap.fromMs && at <= toMs,
    );
    const until = Math.max(gap.fromMs + undisturbedMs, ...excuses);
    const excusedUntilMs = until + (conflicts ? timing.sessionExpiryMs + waitOutMs : 0);
    // Whatever went wrong one after the other: something in it must have let a poll through.
    const allowedUntilMs = Math.min(excusedUntilMs, gap.fromMs + longestGapMs);
    return toMs > allowedUntilMs ? [{ gap, allowedUntilMs }] : [];
  });
}

/** How long after its end a disturbance may be felt in the polling of the gap's scale set, in ms. */
function excusedMs({ where, step }: Disturbance, gap: Gap, { leaseTtlMs }: Timing): number {
  if (step.kind === 'fault') return excusedByGitHub(step.fault, gap);
  const touchesSessions = where === 'nats' || where.startsWith('listener-');
  return touchesSessions ? leaseTtlMs + 1_000 : Number.NEGATIVE_INFINITY;
}

function excusedByGitHub(fault: GitHubFault, gap: Gap): number {
  switch (fault.what) {
    case 'outage':
      return backoffMs(fault.forMs);
    case 'expire tokens':
      return 3_000;
    case 'evict session':
    case 'release session':
    case 'restart ids':
      return fault.scaleSet === gap.scaleSet ? 3_000 : Number.NEGATIVE_INFINITY;
    case 'runners exit':
    case 'runners connect late':
      return Number.NEGATIVE_INFINITY;
    case 'spoil':
      return excusedBySpoiling(fault, gap);
  }
}

function excusedBySpoiling(fault: Extract<GitHubFault, { what: 'spoil' }>, gap: Gap): number {
  const { route, scaleSet, action, forMs } = fault;
  const polls = route === 'getMessage';
  const elsewhere = scaleSet !== undefined && scaleSet !== gap.scaleSet;
  if (elsewhere || (!polls && !sessionRoutes.includes(route))) return Number.NEGATIVE_INFINITY;
  if (action.kind === 'hang') return polls ? pollDeadlineMs : callDeadlineMs;
  return backoffMs(forMs) + (action.kind === 'delay' ? action.ms : 0);
}

/** The back-off grows with the time that failures have lasted, so it is about as long as that. */
function backoffMs(lastedMs: number): number {
  return Math.min(longestBackoffMs, 2 * lastedMs + 2_000);
}
