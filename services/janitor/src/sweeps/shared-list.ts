import type { Runner } from '@baton/shared/contracts';
import { TimeoutError } from '@baton/shared/errors';
import { type Clock, withDeadline } from '@baton/shared/time';
import type { View } from './sweep.ts';

/** A list, and the records as they were before it was asked for. */
export interface Listed<T> extends View<T> {
  before: View<Runner>;
}

interface SharedListOptions<T> {
  /** For the error text: "list instances of local". */
  what: string;
  clock: Clock;
  /** Longest time that the list may take, in ms. */
  timeoutMs: number;
  /** Ends what is under way. */
  signal: AbortSignal;
  list: (signal: AbortSignal) => Promise<T[]>;
}

/** A list is given to all who ask within this time, in ms. */
export const sharedMs = 5_000;
/** Who asks is not kept waiting for longer, in ms; a list that comes later is there for the next. */
const patienceMs = 15_000;
/**
 * Older lists decide nothing, in ms: well below the time for which a record that was deleted is
 * remembered, or its instance would look like one that never had a record.
 */
const oldestMs = 90_000;

/** A list that several sweeps ask for: called once at a time, and shared by those who ask together. */
export class SharedList<T> {
  readonly #options: SharedListOptions<T>;
  #asking: Promise<Listed<T>> | undefined;
  #last: { listed: Listed<T>; usableUntilMs: number } | undefined;

  constructor(options: SharedListOptions<T>) {
    this.#options = options;
  }

  /**
   * The list, asked for after `newerThanMs` of the monotonic clock; `before` are the records as they
   * are now.
   * @throws what the call fails with, or TimeoutError when it is not there in time.
   */
  async take(
    before: View<Runner>,
    { newerThanMs, signal }: { newerThanMs: number; signal: AbortSignal },
  ): Promise<Listed<T>> {
    const { clock, what } = this.#options;
    const last = this.#last;
    if (
      last &&
      last.listed.askedMonotonicMs > newerThanMs &&
      clock.monotonic() <= last.usableUntilMs
    ) {
      return last.listed;
    }
    this.#asking ??= this.#ask(before).finally(() => {
      this.#asking = undefined;
    });
    // Nobody may be waiting for it any more when it fails.
    this.#asking.catch(() => undefined);
    const asking = this.#asking;
    const deadline = { clock, timeoutMs: patienceMs, what, signal };
    const listed = await withDeadline(deadline, () => asking);
    if (clock.monotonic() - listed.askedMonotonicMs <= oldestMs) return listed;
    throw new TimeoutError(`${what}: the list took so long that it says nothing any more`);
  }

  async #ask(before: View<Runner>): Promise<Listed<T>> {
    const { clock, what, timeoutMs, signal, list } = this.#options;
    const asked = { askedMs: clock.now(), askedMonotonicMs: clock.monotonic() };
    const items = await withDeadline({ clock, timeoutMs, what, signal }, list);
    const listed = { items, before, ...asked };
    const tookMs = clock.monotonic() - asked.askedMonotonicMs;
    const usableMs = tookMs >= patienceMs ? oldestMs : sharedMs;
    this.#last = { listed, usableUntilMs: asked.askedMonotonicMs + usableMs };
    return listed;
  }
}
