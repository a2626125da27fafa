import type { Statistics } from './model.ts';

/** The most job entries that one message carries. */
const maxEntries = 50;
const firstId = 100_000_001;

interface LoggedMessage {
  id: number;
  /** Job entries, each as JSON text. */
  entries: string[];
  /** Of the moment at which the newest entry was written. */
  statistics: Statistics;
  deliveries: number;
}

/** The messages of one scale set. It outlives sessions; only deleting removes a message. */
export class MessageLog {
  #messages: LoggedMessage[] = [];
  #nextId = firstId;

  get length(): number {
    return this.#messages.length;
  }

  /**
   * Adds an entry, with the statistics of now, to the newest message that nobody has seen, or begins
   * a new one: always if `apart`.
   */
  append(entry: string, statistics: Statistics, apart = false): void {
    const last = this.#messages.at(-1);
    if (!apart && last && last.deliveries === 0 && last.entries.length < maxEntries) {
      last.entries.push(entry);
      last.statistics = statistics;
      return;
    }
    this.#messages.push({ id: this.#nextId, entries: [entry], statistics, deliveries: 0 });
    this.#nextId += 1;
  }

  has(cursor: number): boolean {
    return (this.#messages.at(-1)?.id ?? 0) > cursor;
  }

  /** Delivers the oldest message after the cursor, if there is one. */
  deliver(cursor: number): LoggedMessage | undefined {
    const message = this.#messages.find((candidate) => candidate.id > cursor);
    if (message) message.deliveries += 1;
    return message;
  }

  /** Whether there was such a message. */
  delete(id: number): boolean {
    const index = this.#messages.findIndex((message) => message.id === id);
    if (index < 0) return false;
    this.#messages.splice(index, 1);
    return true;
  }

  /** Begins again with the first id, as has been seen to happen; what is undeleted comes first. */
  restart(): void {
    this.#messages.forEach((message, index) => {
      message.id = firstId + index;
      message.deliveries = 0;
    });
    this.#nextId = firstId + this.#messages.length;
  }
}
