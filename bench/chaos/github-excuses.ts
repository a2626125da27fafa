import type { JournalEntry } from '@baton/github-sim';
import type { Gap } from '../polls.ts';
import { type Excuse, type Involved, type Timing, unseenMark } from './excuses.ts';
import { callDeadlineMs, excusesOfSessions, type GitHubEvidence } from './session-excuses.ts';

/**
 * The back-off doubles from here with every call that fails, up to the longest, in ms: with the first
 * already, as a token that ended in between is a failure which no book shows.
 */
const firstBackoffMs = 250;
const longestBackoffMs = 30_000;
/**
 * A failure to have a token is told to all who ask for it, for this long after the first in a row, doubling up
 * to the longest, in ms: who is told it then begins a back-off of its own.
 */
const toldAgain = { firstMs: 500, longestMs: 15_000 };
/** Failures to have a token with more than this between them are no row, in ms. */
const tokenRowMs = 60_000;
/** Deletes that fail hold polls up when so many messages wait for theirs: at most so long, in ms. */
const mostUndeleted = 10;
const deleteBackoffMs = 5_000;
/** A poll gives up waiting for an answer after this long, in ms. */
const pollDeadlineMs = 75_000;
/** What is never answered to its end. */
const endless: ReadonlySet<string | undefined> = new Set(['hang', 'hang-after', 'stall']);
/** From the end of a poll to its answer, in ms. */
const answerMs = 50;
/** From the end of a back-off to the held poll, in ms. */
const nextCallMs = 1_000;
/**
 * After a limit nobody calls: a 429, or a 503 that says when to come again. Without a time it is so long,
 * doubling each time up to the longest, in ms.
 */
const limitPauses = {
  rest: { firstMs: 60_000, longestMs: 15 * 60_000 },
  service: { firstMs: 5_000, longestMs: 60_000 },
};
/** What waits for the end of such a limit does not start all at once, in ms. */
const spreadMs = 1_000;

/** What is called on the way to a session; who polls one needs none of it. */
const openingRoutes: ReadonlySet<string | undefined> = new Set([
  'acquireJobs',
  'listScaleSets',
  'getScaleSet',
  'createScaleSet',
  'updateScaleSet',
  'findRunnerGroup',
  'createRegistrationToken',
  'registerRunner',
  'listRunnerGroups',
]);
const sessionRoutes: ReadonlySet<string | undefined> = new Set([
  'createSession',
  'refreshSession',
  'deleteSession',
]);
const sessionEvents: ReadonlySet<string> = new Set(['asked', 'opened', 'conflict']);
const queueRoutes: ReadonlySet<string | undefined> = new Set(['getMessage', 'deleteMessage']);
const restRoutes: ReadonlySet<string | undefined> = new Set([
  'createRegistrationToken',
  'registerRunner',
  'listRunnerGroups',
]);

/** What GitHub's side excuses in this gap. */
export function excusesOfGitHub(
  gap: Gap,
  involved: Involved,
  evidence: GitHubEvidence,
  timing: Timing,
): Excuse[] {
  const toMs = gap.toMs ?? Number.POSITIVE_INFINITY;
  const own = evidence.journal.filter(
    ({ scaleSet }) => scaleSet === gap.scaleSet || scaleSet === '',
  );
  const isOpened = own.some(
    (entry) => entry.at >= gap.fromMs && entry.at <= toMs && isAboutSession(entry),
  );
  const holdsUpPolls = undeletedAt(gap.fromMs, own) >= mostUndeleted;
  const isNeeded = (route: string | undefined) =>
    route === 'getMessage' ||
    (holdsUpPolls && route === 'deleteMessage') ||
    (isOpened && (openingRoutes.has(route) || sessionRoutes.has(route)));
  // A call whose token has ended is nobody's.
  const isConcerned = ({ by, scaleSet, at }: JournalEntry) =>
    by === undefined ||
    involved.shown.has(by) ||
    (scaleSet === '' && involved.calling.has(by) && at >= gap.fromMs);
  const concerns = (entry: JournalEntry) =>
    entry.at <= toMs && isNeeded(entry.route) && isConcerned(entry);
  const excuse: MakeExcuse = ({ at, by }, untilMs, why) => ({
    fromMs: at,
    untilMs,
    why,
    ...(by === undefined ? {} : unseenMark(by, involved)),
  });
  const calls = evidence.journal.filter((entry) => isSpoiled(entry) && concerns(entry));
  return [
    ...excusesOfLimits(calls, excuse),
    ...excusesOfFailures(own, concerns, excuse),
    ...excusesOfSessions(gap, evidence, timing),
  ];
}

type MakeExcuse = (entry: JournalEntry, untilMs: number, why: string) => Excuse;

function isAboutSession({ event, route }: JournalEntry): boolean {
  return sessionEvents.has(event) || (event === 'spoiled' && sessionRoutes.has(route));
}

/**
 * Each call that was spoiled: until it has failed, and the back-off of so many in a row is over. Tokens
 * are had for all scale sets of a process together, and a failure is told to all of them for a while: it
 * may be many in a row for each.
 */
function excusesOfFailures(
  journal: readonly JournalEntry[],
  concerns: (entry: JournalEntry) => boolean,
  excuse: MakeExcuse,
): Excuse[] {
  const row = new FailureRow();
  const tokens = new TokenRows();
  return journal.flatMap((entry) => {
    const { route, fault } = entry;
    if (!isSpoiled(entry)) row.see(entry);
    const isToken = isSpoiled(entry) && restRoutes.has(route) && fault?.kind !== 'delay';
    const toldMs = isToken ? tokens.fail(entry) : 0;
    if (!isSpoiled(entry) || !concerns(entry)) return [];
    const why = `${route ?? 'call'}: ${textOf(fault)}`;
    const answeredMs = entry.at + lengthMs(entry) + nextCallMs;
    const waitMs = fault?.kind === 'delay' ? 0 : toldMs + backoffMs(entry, row);
    return [excuse(entry, answeredMs + Math.max(waitMs, fault?.retryAfterMs ?? 0), why)];
  });
}

function backoffMs(entry: JournalEntry, row: FailureRow): number {
  if (entry.route === 'deleteMessage') return deleteBackoffMs;
  if (restRoutes.has(entry.route)) return longestBackoffMs;
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(row.fail(entry), 10));
}

/** Messages that were delivered and not deleted by then, since somebody asked for the session. */
function undeletedAt(ms: number, journal: readonly JournalEntry[]): number {
  const ids = new Set<number>();
  for (const { event, at, messageId = 0 } of journal) {
    if (at > ms) break;
    if (event === 'asked') ids.clear();
    if (event === 'delivered') ids.add(messageId);
    if (event === 'deleted') ids.delete(messageId);
  }
  return ids.size;
}

/** Counts failures in a row: a poll that ends, and was not spoiled itself, ends the row. */
class FailureRow {
  #count = 0;
  /** When the last poll ended, of which it is not known yet whether it was spoiled. */
  #endedAt: number | undefined;
  /** A poll is held whose answer will not be sent. */
  #isMute = false;

  see({ event, at }: JournalEntry): void {
    if (event !== 'held' && event !== 'ended') return;
    if (event === 'ended' && this.#isMute) {
      this.#isMute = false;
      return;
    }
    if (this.#endedAt !== undefined) this.#count = 0;
    this.#endedAt = event === 'ended' ? at : undefined;
  }

  /** Returns how many that are. */
  fail({ at, route, fault }: JournalEntry): number {
    this.#isMute = route === 'getMessage' && fault?.kind === 'hang-after';
    const since = this.#endedAt;
    const isItsAnswer = route === 'getMessage' && since !== undefined && at - since <= answerMs;
    if (since !== undefined && !isItsAnswer) this.#count = 0;
    this.#endedAt = undefined;
    this.#count += 1;
    return this.#count;
  }
}

/** Counts failures in a row to have a token, of each process. */
class TokenRows {
  readonly #rows = new Map<string, { count: number; at: number }>();

  /** Returns for how long the failure is told again, in ms. */
  fail({ at, by = '' }: JournalEntry): number {
    const before = this.#rows.get(by);
    const count = before && at - before.at <= tokenRowMs ? before.count + 1 : 1;
    this.#rows.set(by, { count, at });
    return Math.min(toldAgain.longestMs, toldAgain.firstMs * 2 ** Math.min(count - 1, 10));
  }
}

function isSpoiled({ event }: JournalEntry): boolean {
  return event === 'spoiled';
}

/** A limit holds back every call of its process but polls and deletes: that of another scale set too. */
function excusesOfLimits(calls: readonly JournalEntry[], excuse: MakeExcuse): Excuse[] {
  const streaks = new Map<string, { count: number; untilMs: number }>();
  return calls.flatMap((entry) => {
    const { at, by = '', route, fault } = entry;
    if (!isLimit(fault) || queueRoutes.has(route)) return [];
    const api = restRoutes.has(route) ? 'rest' : 'service';
    const { firstMs, longestMs } = limitPauses[api];
    const key = `${by} ${api}`;
    const before = streaks.get(key);
    const count = before && at <= before.untilMs + longestBackoffMs ? before.count + 1 : 1;
    const pauseMs =
      fault?.retryAfterMs ?? Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 10));
    const untilMs = at + pauseMs + spreadMs + nextCallMs;
    streaks.set(key, { count, untilMs });
    return [excuse(entry, untilMs, `${route ?? 'call'}: a limit of ${pauseMs} ms`)];
  });
}

function isLimit(fault: JournalEntry['fault']): boolean {
  return fault?.status === 429 || (fault?.status === 503 && fault.retryAfterMs !== undefined);
}

function lengthMs({ route, fault }: JournalEntry): number {
  if (fault?.kind === 'delay') return fault.ms ?? 0;
  if (!endless.has(fault?.kind)) return 0;
  return route === 'getMessage' ? pollDeadlineMs : callDeadlineMs;
}

function textOf(fault: JournalEntry['fault']): string {
  return [fault?.kind, fault?.status, fault?.ms].filter((part) => part !== undefined).join(' ');
}
