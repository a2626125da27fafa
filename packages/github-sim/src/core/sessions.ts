import { randomUUID } from 'node:crypto';
import type { Clock } from '@baton/shared/time';
import type { Journal } from './journal.ts';
import type { ScaleSet, Session } from './model.ts';
import type { SimOptions } from './options.ts';
import { type Refusal, refusals } from './refusal.ts';

interface SessionsOptions {
  clock: Clock;
  options: SimOptions;
  journal: Journal;
  /** Called once when a session has ended, for whatever reason. */
  onEnded: (session: Session) => void;
}

/** One session for each scale set. Expiry is noticed when somebody asks. */
export class Sessions {
  readonly #clock: Clock;
  readonly #options: SimOptions;
  readonly #journal: Journal;
  readonly #onEnded: (session: Session) => void;
  readonly #sessions = new Map<string, Session>();
  #created = 0;
  #conflicts = 0;

  constructor({ clock, options, journal, onEnded }: SessionsOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#journal = journal;
    this.#onEnded = onEnded;
  }

  get created(): number {
    return this.#created;
  }

  get conflicts(): number {
    return this.#conflicts;
  }

  /** A refused attempt does not prolong the session that is in the way. */
  open(set: ScaleSet, owner: string, by?: string): Session {
    const holder = this.current(set);
    if (holder) {
      this.#conflicts += 1;
      this.#journal.write(set.name, 'conflict', { by, session: holder.id });
      throw this.#options.conflictWording === 'message-only'
        ? refusals.sessionConflictWithoutType(set.name)
        : refusals.sessionConflict(set.name, holder.owner);
    }
    const session: Session = {
      id: randomUUID(),
      owner,
      set,
      startedAt: this.#clock.now(),
      lastPollAt: this.#clock.monotonic(),
      polls: 0,
      held: undefined,
      ended: undefined,
    };
    this.#sessions.set(session.id, session);
    set.session = session;
    this.#created += 1;
    this.#journal.write(set.name, 'opened', { by, session: session.id });
    return session;
  }

  /** The live session of a set. */
  current(set: ScaleSet): Session | undefined {
    return set.session && this.#live(set.session);
  }

  /** The live session with this id, or the refusal that GitHub gives for what became of it. */
  require(set: ScaleSet, id: string): Session {
    const session = this.#sessions.get(id);
    if (!session || session.set !== set) throw refusals.sessionNotFound(id);
    const live = this.#live(session);
    if (!live) throw this.#endedRefusal(session);
    return live;
  }

  find(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    return session && this.#live(session);
  }

  /** The scale set of a session that lives or has ended. */
  scaleSetOf(id: string): ScaleSet | undefined {
    return this.#sessions.get(id)?.set;
  }

  end(session: Session, reason: NonNullable<Session['ended']>): void {
    if (session.ended) return;
    session.ended = reason;
    if (session.set.session === session) session.set.session = undefined;
    session.held?.hold.end({ kind: 'gone' });
    this.#onEnded(session);
  }

  #live(session: Session): Session | undefined {
    const silentMs = this.#clock.monotonic() - session.lastPollAt;
    if (!session.ended && !session.held && silentMs >= this.#options.sessionExpiryMs) {
      this.end(session, 'expired');
    }
    return session.ended ? undefined : session;
  }

  #endedRefusal(session: Session): Refusal {
    const { endedSessionAnswer } = this.#options;
    const notFound =
      endedSessionAnswer === '404' ||
      (endedSessionAnswer === 'by-reason' && session.ended === 'evicted');
    return notFound ? refusals.sessionNotFound(session.id) : refusals.sessionExpired(session.id);
  }
}
