import type { JetStreamManager, MsgHdrs, NatsConnection } from 'nats';
import { AppError } from '../errors/index.ts';
import { isMissing } from './nats-error.ts';
import { walkLog } from './walk-log.ts';

/** One write to a bucket, as it still stands there. */
export interface LogEntry {
  key: string;
  revision: number;
  /** The server's clock when it was written. */
  writtenAt: Date;
  /** Undefined for the mark that the key was deleted. */
  text: string | undefined;
}

export interface LogState {
  /** When the stream was made: another one after a loss. */
  created: string;
  firstSeq: number;
  lastSeq: number;
  /** Keys that hold a value or the mark of a deletion. */
  messages: number;
}

const readParallel = 64;
const requestTimeoutMs = 2_000;
const notFound = 404;
const encoder = new TextEncoder();

/**
 * The stream behind a bucket, read by sequence. Made by requests, no consumer. Failures are the
 * client's own; `KvCopy` says what was tried.
 */
export class KvLog {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #stream: string;
  readonly #root: string;

  constructor(connection: NatsConnection, jsm: JetStreamManager, bucket: string) {
    this.#connection = connection;
    this.#jsm = jsm;
    this.#stream = `KV_${bucket}`;
    this.#root = `$KV.${bucket}.`;
  }

  /** Answered by the stream's leader. */
  async state(): Promise<LogState> {
    const { created, state } = await this.#jsm.streams.info(this.#stream);
    const { first_seq: firstSeq, last_seq: lastSeq, messages } = state;
    return { created, firstSeq, lastSeq, messages };
  }

  /**
   * What stands at the sequences from `from` to `to`, both included, in any order, as `read` makes it out
   * of each. About one request for each entry that is there, however many others were superseded, and
   * none for the sequences in `known`.
   */
  async between<T>(
    { from, to, known }: { from: number; to: number; known: ReadonlySet<number> },
    read: (entry: LogEntry) => T,
  ): Promise<T[]> {
    return await walkLog({ from, to, hands: readParallel }, async (sequence) => {
      if (known.has(sequence)) return { at: sequence };
      const entry = await this.#next(sequence);
      if (!entry) return undefined;
      const { revision: at } = entry;
      return known.has(at) ? { at } : { at, read: () => read(entry) };
    });
  }

  /**
   * The first message at or behind a sequence that was written. Any replica answers. What one has is the
   * log up to some point, so an answer proves that all before it is gone; "nothing there" may only mean
   * that the replica lags, and then the leader is asked.
   */
  async #next(seq: number): Promise<LogEntry | undefined> {
    const query = { seq, next_by_subj: '>' };
    const answer = await this.#connection.request(
      `$JS.API.DIRECT.GET.${this.#stream}`,
      encoder.encode(JSON.stringify(query)),
      { timeout: requestTimeoutMs },
    );
    const { headers } = answer;
    if (headers && headers.code === 0) {
      const revision = Number(headers.get('Nats-Sequence'));
      const writtenAt = new Date(headers.get('Nats-Time-Stamp'));
      const subject = headers.get('Nats-Subject');
      return this.#entry({ subject, revision, writtenAt, headers, text: () => answer.string() });
    }
    if (headers?.code !== notFound) {
      throw new AppError('nats', `read sequence ${seq}: ${headers?.description ?? 'no headers'}`);
    }
    return await this.#nextAtLeader(query);
  }

  async #nextAtLeader(query: { seq: number; next_by_subj: string }): Promise<LogEntry | undefined> {
    try {
      const stored = await this.#jsm.streams.getMessage(this.#stream, query);
      const { subject, seq: revision, time: writtenAt, header: headers } = stored;
      return this.#entry({ subject, revision, writtenAt, headers, text: () => stored.string() });
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      return undefined;
    }
  }

  #entry({ subject, revision, writtenAt, headers, text }: Message): LogEntry {
    const deleted = headers.get('KV-Operation') !== '';
    const key = subject.slice(this.#root.length);
    return { key, revision, writtenAt, text: deleted ? undefined : text() };
  }
}

interface Message extends Pick<LogEntry, 'revision' | 'writtenAt'> {
  subject: string;
  headers: MsgHdrs;
  text: () => string;
}
