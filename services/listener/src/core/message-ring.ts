import type { RingEntry } from '@baton/shared/contracts';

/** Messages that GitHub does not let us delete; when there are more, it is not about messages. */
const maxRefused = 10;

/** Where the messages of one session stand that are not known to be deleted. */
export class MessageRing {
  /** Handled, by the record; some may be deleted already. */
  #handled: readonly RingEntry[];
  /** Taken in and not deleted yet. */
  #inFlight: readonly RingEntry[] = [];
  /** Ids of those that GitHub refused to delete; it is tried again when they are delivered again. */
  readonly #refused = new Set<string>();

  /** `recorded` is what earlier sessions left. */
  constructor(recorded: readonly RingEntry[]) {
    this.#handled = recorded;
  }

  /** What the record is to say. */
  get recorded(): RingEntry[] {
    return [...this.#handled];
  }

  isInFlight(entry: RingEntry): boolean {
    return includes(this.#inFlight, entry);
  }

  isHandled(entry: RingEntry): boolean {
    return includes(this.#handled, entry);
  }

  take(entry: RingEntry): void {
    this.#inFlight = [...this.#inFlight, entry];
  }

  /** An id with another text is another message; the one before it is gone then. */
  handle(entry: RingEntry): void {
    const others = this.#handled.filter(({ messageId }) => messageId !== entry.messageId);
    this.#handled = [...others, entry];
  }

  forget(entry: RingEntry): void {
    this.#handled = without(this.#handled, entry);
    this.#inFlight = without(this.#inFlight, entry);
    this.#refused.delete(entry.messageId);
  }

  /** GitHub does not let it be deleted. Whether that is so for the first time, or for too many. */
  refuse(entry: RingEntry): 'first' | 'again' | 'too many' {
    if (!this.#refused.has(entry.messageId) && this.#refused.size >= maxRefused) return 'too many';
    this.#inFlight = without(this.#inFlight, entry);
    if (this.#refused.has(entry.messageId)) return 'again';
    this.#refused.add(entry.messageId);
    return 'first';
  }

  /** Nothing waits at GitHub but what was taken in: an earlier session deleted what else is here. */
  nothingWaits(): void {
    this.#handled = this.#handled.filter(
      (entry) => this.isInFlight(entry) || this.#refused.has(entry.messageId),
    );
  }
}

function includes(entries: readonly RingEntry[], entry: RingEntry): boolean {
  return entries.some((known) => isSame(known, entry));
}

function without(entries: readonly RingEntry[], entry: RingEntry): RingEntry[] {
  return entries.filter((known) => !isSame(known, entry));
}

function isSame(a: RingEntry, b: RingEntry): boolean {
  return a.messageId === b.messageId && a.bodyHash === b.bodyHash;
}
