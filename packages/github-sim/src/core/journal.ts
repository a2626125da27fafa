import type { Clock } from '@baton/shared/time';

/**
 * A poll began to be held, or ended; it ended because another one of its session came (then `ended`
 * follows). A message was given to a poll, or deleted by the client. A client asked for a session, to
 * open, resume or delete it; then one was opened, or refused because there is one. A fault spoiled a
 * call, or its answer.
 */
export type JournalEvent =
  | 'held'
  | 'ended'
  | 'superseded'
  | 'delivered'
  | 'deleted'
  | 'asked'
  | 'opened'
  | 'conflict'
  | 'spoiled';

export interface JournalEntry {
  /** Counts from 1, without gaps. */
  number: number;
  /** Wall clock, ms. */
  at: number;
  /** The scale set's name; empty where a spoiled call was about none. */
  scaleSet: string;
  event: JournalEvent;
  messageId?: number;
  /** Of a held poll: the capacity that it names; null for none, which is unlimited. */
  capacity?: number | null;
  /** Whose call it was, where its personal access token names somebody. */
  by?: string | undefined;
  /** The session that was opened, or that was in the way. */
  session?: string;
  /** Of a call that was spoiled: which, and how. */
  route?: string;
  fault?: {
    kind: string;
    status?: number | undefined;
    ms?: number | undefined;
    /** What its `Retry-After` says. */
    retryAfterMs?: number | undefined;
  };
}

type Details = Omit<JournalEntry, 'number' | 'at' | 'scaleSet' | 'event'>;

const defaultLimit = 200_000;

/** What happened to polls and messages, in order. The oldest entries go when there are too many. */
export class Journal {
  readonly #clock: Clock;
  readonly #limit: number;
  #entries: JournalEntry[] = [];
  #count = 0;

  constructor(clock: Clock, limit = defaultLimit) {
    this.#clock = clock;
    this.#limit = limit;
  }

  write(scaleSet: string, event: JournalEvent, details: Details = {}): void {
    this.#count += 1;
    const entry = { number: this.#count, at: this.#clock.now(), scaleSet, event };
    this.#entries.push({ ...entry, ...details });
    if (this.#entries.length >= 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit);
  }

  /** The entries that are kept, behind this number. */
  after(number: number): JournalEntry[] {
    const first = this.#entries[0]?.number ?? 1;
    return this.#entries.slice(Math.max(0, number + 1 - first));
  }
}
