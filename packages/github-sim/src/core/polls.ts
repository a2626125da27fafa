import type { Clock } from '@baton/shared/time';
import { DeadlineQueue } from './deadline-queue.ts';
import { Hold } from './hold.ts';
import type { Journal } from './journal.ts';
import type { HeldPoll, PollAnswer, ScaleSet, Session } from './model.ts';
import type { SimOptions } from './options.ts';
import type { PollGaps } from './poll-gaps.ts';
import { statisticsOf } from './statistics.ts';

interface PollsOptions {
  clock: Clock;
  options: SimOptions;
  gaps: PollGaps;
  journal: Journal;
  stop: AbortSignal;
}

/** The long polls that are held now: at most one for each session. */
export class Polls {
  readonly #clock: Clock;
  readonly #options: SimOptions;
  readonly #gaps: PollGaps;
  readonly #journal: Journal;
  readonly #ends: DeadlineQueue<HeldPoll & { set: ScaleSet }>;
  #heldCount = 0;
  #redelivered = 0;

  constructor({ clock, options, gaps, journal, stop }: PollsOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#gaps = gaps;
    this.#journal = journal;
    this.#ends = new DeadlineQueue({
      clock,
      delayMs: options.pollHoldMs,
      stop,
      onDue: ({ hold, set, cursor }) => {
        if (hold.open) hold.end(this.#take(set, cursor) ?? { kind: 'none' });
      },
    });
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  get messagesRedelivered(): number {
    return this.#redelivered;
  }

  /** Begins to hold a poll; an older one of the same session ends without a message. */
  hold(session: Session, { cursor, capacity, by }: Omit<HeldPoll, 'hold'>): HeldPoll {
    if (session.held) this.#journal.write(session.set.name, 'superseded');
    session.held?.hold.end({ kind: 'none' });
    const key = trackKey(session.set);
    const hold = new Hold<PollAnswer>(() => {
      session.held = undefined;
      session.lastPollAt = this.#clock.monotonic();
      this.#heldCount -= 1;
      this.#gaps.released(key);
      this.#journal.write(session.set.name, 'ended');
    });
    const poll = { hold, cursor, capacity, by };
    session.held = poll;
    session.polls += 1;
    session.lastPollAt = this.#clock.monotonic();
    this.#heldCount += 1;
    this.#gaps.held(key);
    this.#journal.write(session.set.name, 'held', {
      capacity: Number.isFinite(capacity) ? capacity : null,
      by,
    });
    this.#ends.push({ ...poll, set: session.set });
    return poll;
  }

  /** Answers the held poll of a set, if there is one and a message for it. */
  wake(set: ScaleSet): void {
    const held = set.session?.held;
    if (!held) return;
    const answer = this.#take(set, held.cursor);
    if (answer) held.hold.end(answer);
  }

  #take(set: ScaleSet, cursor: number): PollAnswer | undefined {
    if (set.play.muted) return undefined;
    const { messageStatistics, dialect } = this.#options;
    const message = set.log.deliver(cursor);
    if (!message) return undefined;
    this.#journal.write(set.name, 'delivered', { messageId: message.id });
    if (message.deliveries > 1) this.#redelivered += 1;
    return {
      kind: 'message',
      id: message.id,
      body: `[${message.entries.join(',')}]`,
      statistics:
        messageStatistics === 'as-written' ? message.statistics : statisticsOf(set, dialect),
    };
  }
}

/** The name under which a scale set's poll gaps are kept. */
export function trackKey(set: ScaleSet): string {
  return `${set.scope}/${set.name}`;
}
