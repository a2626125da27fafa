import type { JournalEntry } from '@baton/github-sim';
import type { Gap } from '../polls.ts';
import type { Disturbance } from './driver.ts';
import { type Excuse, type Timing, takeMs } from './excuses.ts';

export interface GitHubEvidence {
  disturbances: readonly Disturbance[];
  journal: readonly JournalEntry[];
}

/** The back-off doubles from here with every call that fails, up to the longest, in ms. */
const firstBackoffMs = 250;
const longestBackoffMs = 30_000;
/** A poll gives up waiting for an answer after this long; so does any other call, in ms. */
const pollDeadlineMs = 75_000;
const callDeadlineMs = 30_000;
/** From the end of a poll to its answer, in ms. */
const answerMs = 50;
/** From the end of a back-off to the held poll, in ms. */
const nextCallMs = 1_000;
/** After a 429 without a time nobody calls for so long, doubling each time up to the longest, in ms. */
const limitPauses = {
  rest: { firstMs: 60_000, longestMs: 15 * 60_000 },
  service: { firstMs: 5_000, longestMs: 60_000 },
};
/** What waits for the end of such a limit does not start all at once, in ms. */
const spreadMs = 1_000;
/** Sessions that follow each other more closely are replaced with a pause, in ms. */
const closeMs = 60_000;
/** Once GitHub has freed a session that nobody knows, in ms. */
const waitOutMs = 10_000;

const queueRoutes: ReadonlySet<string | undefined> = new Set(['getMessage', 'deleteMessage']);
const restRoutes: ReadonlySet<string | undefined> = new Set([
  'createRegistrationToken',
  'registerRunner',
  'listRunnerGroups',
]);

/** What GitHub's side excuses in this gap. `involved`: the listeners that the books show in it. */
export function excusesOfGitHub(
  gap: Gap,
  involved: ReadonlySet<string>,
  evidence: GitHubEvidence,
  { sessionExpiryMs }: Timing,
): Excuse[] {
  const toMs = gap.toMs ?? Number.POSITIVE_INFINITY;
  const concerns = ({ at, by, route = '' }: JournalEntry) =>
    at <= toMs && !route.startsWith('runner') && (by === undefined || involved.has(by));
  const own = evidence.journal.filter(
    ({ scaleSet }) => scaleSet === gap.scaleSet || scaleSet === '',
  );
  return [
    ...excusesOfFailures(own, concerns),
    ...excusesOfLimits(evidence.journal.filter((entry) => isSpoiled(entry) && concerns(entry))),
    ...excusesOfDisturbances(gap, evidence),
    ...excusesOfConflicts(gap, toMs, evidence, sessionExpiryMs),
  ];
}

/** Each call that was spoiled: until it has failed, and the back-off of so many in a row is over. */
function excusesOfFailures(
  journal: readonly JournalEntry[],
  concerns: (entry: JournalEntry) => boolean,
): Excuse[] {
  const row = new FailureRow();
  return journal.flatMap((entry) => {
    const { at, route, fault } = entry;
    if (!isSpoiled(entry)) row.see(entry);
    if (!isSpoiled(entry) || !concerns(entry)) return [];
    const why = `${route ?? 'call'}: ${textOf(fault)}`;
    const answeredMs = at + lengthMs(entry) + nextCallMs;
    if (fault?.kind === 'delay') return [{ fromMs: at, untilMs: answeredMs, why }];
    const doublings = Math.min(row.fail(entry) - 1, 10);
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** doublings);
    return [{ fromMs: at, untilMs: answeredMs + backoffMs, why }];
  });
}

/** Counts failures in a row: a poll that ends, and was not spoiled itself, ends the row. */
class FailureRow {
  #count = 0;
  /** When the last poll ended, of which it is not known yet whether it was spoiled. */
  #endedAt: number | undefined;

  see({ event, at }: JournalEntry): void {
    if (event !== 'held' && event !== 'ended') return;
    if (this.#endedAt !== undefined) this.#count = 0;
    this.#endedAt = event === 'ended' ? at : undefined;
  }

  /** Returns how many that are. */
  fail({ at, route }: JournalEntry): number {
    const since = this.#endedAt;
    const isItsAnswer = route === 'getMessage' && since !== undefined && at - since <= answerMs;
    if (since !== undefined && !isItsAnswer) this.#count = 0;
    this.#endedAt = undefined;
    this.#count += 1;
    return this.#count;
  }
}

function isSpoiled({ event }: JournalEntry): boolean {
  return event === 'spoiled';
}

/** A limit holds back every call of its process but polls and deletes: that of another scale set too. */
function excusesOfLimits(calls: readonly JournalEntry[]): Excuse[] {
  const streaks = new Map<string, { count: number; untilMs: number }>();
  return calls.flatMap(({ at, by = '', route, fault }) => {
    if (fault?.status !== 429 || queueRoutes.has(route)) return [];
    const api = restRoutes.has(route) ? 'rest' : 'service';
    const { firstMs, longestMs } = limitPauses[api];
    const key = `${by} ${api}`;
    const before = streaks.get(key);
    const count = before && at <= before.untilMs + longestBackoffMs ? before.count + 1 : 1;
    const pauseMs = Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 10));
    const untilMs = at + pauseMs + spreadMs + nextCallMs;
    streaks.set(key, { count, untilMs });
    return [{ fromMs: at, untilMs, why: `${route ?? 'call'}: a limit of ${pauseMs} ms` }];
  });
}

/** What the driver did that spoils no call: it ended a session of the scale set, or all tokens. */
function excusesOfDisturbances(gap: Gap, { disturbances, journal }: GitHubEvidence): Excuse[] {
  return disturbances.flatMap(({ fromMs, step, text }) => {
    if (step.kind !== 'fault') return [];
    const { fault } = step;
    // Nobody uses an app's tokens here.
    if (fault.what === 'expire tokens' && fault.tokens === 'app') return [];
    if (fault.what === 'expire tokens') return [{ fromMs, untilMs: fromMs + takeMs, why: text }];
    const ends = fault.what === 'evict session' || fault.what === 'release session';
    if (!ends || fault.scaleSet !== gap.scaleSet) return [];
    const pauseMs = replacementPauseMs(journal, fault.scaleSet, fromMs);
    return [{ fromMs, untilMs: fromMs + pauseMs + takeMs, why: text }];
  });
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
  return inARow === 0 ? 0 : Math.min(longestBackoffMs, 1_000 * 2 ** Math.min(inARow - 1, 10));
}

/** A session in the way that nobody could know of: once each, until GitHub frees it. */
function excusesOfConflicts(
  gap: Gap,
  toMs: number,
  evidence: GitHubEvidence,
  sessionExpiryMs: number,
): Excuse[] {
  const seen = new Set<string>();
  return evidence.journal.flatMap(({ event, scaleSet, at, session = '' }) => {
    const here = scaleSet === gap.scaleSet && at >= gap.fromMs && at <= toMs;
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

function lengthMs({ route, fault }: JournalEntry): number {
  if (fault?.kind === 'delay') return fault.ms ?? 0;
  if (fault?.kind !== 'hang') return 0;
  return route === 'getMessage' ? pollDeadlineMs : callDeadlineMs;
}

function textOf(fault: JournalEntry['fault']): string {
  return [fault?.kind, fault?.status, fault?.ms].filter((part) => part !== undefined).join(' ');
}
