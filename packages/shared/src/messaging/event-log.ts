import type { JetStreamManager, NatsConnection } from 'nats';
import { streams } from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import type { Nats } from './connect.ts';
import { natsFailure } from './nats-error.ts';
import { walkLog } from './walk-log.ts';

/** An event as the stream has it. */
export interface StoredEvent {
  sequence: number;
  /** The server's clock. */
  storedAt: Date;
  subject: string;
  /** JSON, as it was published. */
  text: string;
  traceparent: string | undefined;
}

/** Sequences of the stream, both ends included; `first` is larger than `last` where there are none. */
export interface EventRange {
  first: number;
  last: number;
}

interface Search {
  /** With wildcards. An event that two of them match is found twice. */
  subjects: readonly string[];
  range: EventRange;
  /** Told now and then how many sequences of the range are left to be looked through. */
  onProgress?: ((left: number) => void) | undefined;
}

const hands = 16;
const requestTimeoutMs = 5_000;
const firstWindow = 1_000;
const widestWindow = 50_000;
const notFound = 404;
const encoder = new TextEncoder();

/**
 * The stream of events, read by requests of its own: no consumer is left behind, and the server passes
 * over what the subjects leave out. Any replica answers, so the very newest events may be missing. Failures
 * are `AppError` `nats`.
 */
export class EventLog {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;

  private constructor(connection: NatsConnection, jsm: JetStreamManager) {
    this.#connection = connection;
    this.#jsm = jsm;
  }

  static async open({ connection }: Nats): Promise<EventLog> {
    const options = { timeout: requestTimeoutMs, checkAPI: false };
    return new EventLog(connection, await connection.jetstreamManager(options));
  }

  /** All that is stored; since a time, if one is given. */
  async range(since?: Date): Promise<EventRange> {
    const { state } = await orThrow('read stream of events', () =>
      this.#jsm.streams.info(streams.events),
    );
    const { first_seq: first, last_seq: last } = state;
    return { first: since ? await this.#firstSince(since, { first, last }) : first, last };
  }

  /**
   * The newest events that `accept` takes, at most `limit`, oldest first. Reads from the end, in windows
   * that grow, and stops when it has enough.
   */
  async newest(
    { subjects, range, onProgress }: Search,
    limit: number,
    accept: (event: StoredEvent) => boolean = () => true,
  ): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    let width = firstWindow;
    for (let last = range.last; last >= range.first && found.length < limit; ) {
      onProgress?.(last - range.first + 1);
      const first = Math.max(range.first, last - width + 1);
      found.unshift(...(await this.#between(subjects, { first, last })).filter(accept));
      last = first - 1;
      width = Math.min(widestWindow, width * 2);
    }
    return found.slice(-limit);
  }

  /** The events of a range, oldest first, window by window, until the reader has enough. */
  async *from({ subjects, range, onProgress }: Search): AsyncGenerator<StoredEvent[]> {
    let width = firstWindow;
    for (let { first } = range; first <= range.last; ) {
      onProgress?.(range.last - first + 1);
      const last = Math.min(range.last, first + width - 1);
      yield await this.#between(subjects, { first, last });
      first = last + 1;
      width = Math.min(widestWindow, width * 2);
    }
  }

  async #between(
    subjects: readonly string[],
    { first: from, last: to }: EventRange,
  ): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    for (const subject of subjects) {
      const events = await walkLog({ from, to, hands }, async (sequence) => {
        const event = await this.#next(sequence, subject);
        return event && { at: event.sequence, read: () => event };
      });
      found.push(...events);
    }
    return found.sort((a, b) => a.sequence - b.sequence);
  }

  /** By halving: about seventeen requests for a hundred thousand events. */
  async #firstSince(since: Date, { first, last }: EventRange): Promise<number> {
    let low = first;
    let high = last + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const event = await this.#next(middle, '>');
      if (!event || event.storedAt >= since) high = middle;
      else low = event.sequence + 1;
    }
    return low;
  }

  /** The first event of the subject at a sequence or behind it. */
  async #next(seq: number, subject: string): Promise<StoredEvent | undefined> {
    const query = encoder.encode(JSON.stringify({ seq, next_by_subj: subject }));
    const answer = await orThrow(`read event ${seq}`, () =>
      this.#connection.request(`$JS.API.DIRECT.GET.${streams.events}`, query, {
        timeout: requestTimeoutMs,
      }),
    );
    const { headers } = answer;
    if (headers?.code === notFound) return undefined;
    if (headers?.code !== 0) {
      throw new AppError('nats', `read event ${seq}: ${headers?.description ?? 'no headers'}`);
    }
    return {
      sequence: Number(headers.get('Nats-Sequence')),
      storedAt: new Date(headers.get('Nats-Time-Stamp')),
      subject: headers.get('Nats-Subject'),
      text: answer.string(),
      traceparent: headers.get('traceparent') || undefined,
    };
  }
}

async function orThrow<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw natsFailure(what, cause);
  }
}
