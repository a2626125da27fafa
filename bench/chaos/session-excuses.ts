import type { JournalEntry } from '@baton/github-sim';
import type { Gap } from '../polls.ts';
import type { Disturbance } from './driver.ts';
import { type Excuse, type Timing, takeMs } from './excuses.ts';
import type { GitHubFault } from './random-fault.ts';

export interface GitHubEvidence {
  disturbances: readonly Disturbance[];
  journal: readonly JournalEntry[];
}

/** The pauses after two refusals of a registration token, in ms. */
const chainMs = 3_000;
/** From the end of an outage to the poll of who has not met it, in ms. */
const nextPollMs = 1_000;
/** A call gives up waiting for an answer after this long, in ms. */
export const callDeadlineMs = 30_000;
/** The longest pause before a session that ends again and again is replaced, in ms. */
const longestPauseMs = 30_000;
/** Sessions that follow each other more closely are replaced with a pause, in ms. */
const closeMs = 60_000;
/** A scale set that is gone is made again, and its session is the first of the new one. */
const ends: ReadonlySet<string> = new Set(['evict session', 'release session', 'delete scale set']);
/** Once GitHub has freed a session that nobody knows, in ms. */
const waitOutMs = 10_000;

/** What excuses the time from the end of a session to the next one that is polled. */
export function excusesOfSessions(gap: Gap, evidence: GitHubEvidence, timing: Timing): Excuse[] {
  return [
    ...excusesOfDisturbances(gap, evidence),
    ...excuseOfExpiry(gap, evidence, timing.sessionExpiryMs),
    ...excusesOfConflicts(gap, evidence, timing.sessionExpiryMs),
  ];
}

/**
 * What the driver did that need spoil no call: it ended a session of the scale set, or all tokens; or
 * nobody could have polled, called or not.
 */
function excusesOfDisturbances(gap: Gap, evidence: GitHubEvidence): Excuse[] {
  return evidence.disturbances.flatMap(({ fromMs, toMs, step, text: why }) => {
    if (step.kind !== 'fault') return [];
    const { fault } = step;
    if (fault.what === 'outage' || fault.what === 'long outage')
      return [{ fromMs, untilMs: toMs + nextPollMs, why }];
    const lengthMs = withoutSessionMs(fault, fromMs, gap, evidence);
    return lengthMs === undefined ? [] : [{ fromMs, untilMs: fromMs + lengthMs, why }];
  });
}

/** How long it takes until tokens, or the session, that ended are had again. Nobody uses an app's here. */
function withoutSessionMs(
  fault: GitHubFault,
  endedMs: number,
  { scaleSet }: Gap,
  { disturbances, journal }: GitHubEvidence,
): number | undefined {
  const tokens = expiredBy(fault);
  if (tokens === 'app') return undefined;
  if (tokens === 'admin' && isChainExpired(endedMs, disturbances)) return takeMs + chainMs;
  if (tokens !== undefined) return takeMs;
  if (!ends.has(fault.what) || !('scaleSet' in fault) || fault.scaleSet !== scaleSet)
    return undefined;
  return takeMs + replacementPauseMs(journal, scaleSet, endedMs);
}

/**
 * Whether registration tokens ended since the last time that admin tokens did: the next one is had only after
 * the one that is held has been refused twice.
 */
function isChainExpired(adminMs: number, disturbances: readonly Disturbance[]): boolean {
  const expired = disturbances
    .filter(({ fromMs }) => fromMs < adminMs)
    .map(({ step }) => (step.kind === 'fault' ? expiredBy(step.fault) : undefined));
  return expired.lastIndexOf('registration') > expired.lastIndexOf('admin');
}

function expiredBy(fault: GitHubFault): string | undefined {
  return fault.what === 'expire tokens' ? fault.tokens : undefined;
}

/** A gap that lasts so long costs the session: who asks for it then has to replace it. */
function excuseOfExpiry(
  { scaleSet, fromMs, toMs = Number.POSITIVE_INFINITY }: Gap,
  { journal }: GitHubEvidence,
  sessionExpiryMs: number,
): Excuse[] {
  const asked = journal.find(
    (entry) =>
      entry.event === 'asked' &&
      entry.scaleSet === scaleSet &&
      entry.at >= fromMs + sessionExpiryMs &&
      entry.at <= toMs,
  );
  if (!asked) return [];
  const untilMs = asked.at + replacementPauseMs(journal, scaleSet, asked.at) + takeMs;
  return [{ fromMs: asked.at, untilMs, why: 'its session had expired' }];
}

/** None for the first session that ends; then a second, doubling with each one close before it. */
function replacementPauseMs(
  journal: readonly JournalEntry[],
  scaleSet: string,
  atMs: number,
): number {
  let inARow = 0;
  let nextMs = atMs;
  for (const { event, at, ...entry } of journal.toReversed()) {
    if (event !== 'opened' || entry.scaleSet !== scaleSet || at > atMs) continue;
    if (nextMs - at > closeMs) break;
    inARow += 1;
    nextMs = at;
  }
  return inARow === 0 ? 0 : Math.min(longestPauseMs, 1_000 * 2 ** Math.min(inARow - 1, 10));
}

/** A session in the way that nobody could know of: once each, until GitHub frees it. */
function excusesOfConflicts(
  { scaleSet: ownScaleSet, fromMs, toMs = Number.POSITIVE_INFINITY }: Gap,
  evidence: GitHubEvidence,
  sessionExpiryMs: number,
): Excuse[] {
  const seen = new Set<string>();
  return evidence.journal.flatMap(({ event, scaleSet, at, session = '' }) => {
    const here = scaleSet === ownScaleSet && at >= fromMs && at <= toMs;
    if (event !== 'conflict' || !here || seen.has(session)) return [];
    seen.add(session);
    if (!mayBeUnknown(session, at, evidence)) return [];
    const why = 'a session that nobody knows is in the way';
    return [{ fromMs: at, untilMs: at + sessionExpiryMs + waitOutMs, why }];
  });
}

/** Around an opening, until it is recorded; in ms. */
const openingMs = 5_000;

/**
 * Whether something happened when the session was opened that can keep it from being recorded, or
 * whether the call to delete it was spoiled. Otherwise its id has been forgotten.
 */
function mayBeUnknown(
  session: string,
  conflictMs: number,
  { journal, disturbances }: GitHubEvidence,
): boolean {
  const opened = journal.find((entry) => entry.event === 'opened' && entry.session === session);
  if (!opened) return false;
  const { at, by, scaleSet } = opened;
  const isStruck = disturbances.some(
    ({ where, fromMs, toMs }) =>
      (where === by || where === 'nats') && fromMs <= at + openingMs && toMs >= at - openingMs,
  );
  return (
    isStruck ||
    journal.some(
      (entry) =>
        entry.event === 'spoiled' &&
        entry.scaleSet === scaleSet &&
        ((entry.route === 'createSession' && Math.abs(entry.at - at) <= openingMs) ||
          (entry.route === 'deleteSession' &&
            entry.at <= conflictMs &&
            entry.at >= conflictMs - callDeadlineMs)),
    )
  );
}
