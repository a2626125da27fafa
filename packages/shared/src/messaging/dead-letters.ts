import type { JetStreamManager, StoredMsg } from 'nats';
import { streams } from '../contracts/index.ts';
import type { Nats } from './connect.ts';
import { type DeadPart, joinParts, readPart, type StoredLetter } from './dead-letters-join.ts';
import { isMissing, natsFailure } from './nats-error.ts';

/** Which letters; what is left out does not matter. */
export interface DeadLetterFilter {
  service?: string | undefined;
  kind?: string | undefined;
  /** Internal ids of scale sets, any of them. */
  scaleSetIds?: readonly string[] | undefined;
  /** Only letters with a smaller id. */
  before?: number | undefined;
}

interface DeadLetterList {
  /** By id. Their bodies are left out: `body` is ''. */
  letters: StoredLetter[];
  /** Whether there are older ones that match. */
  more: boolean;
}

/** Messages that are read at once; one may be a MiB long. */
const readParallel = 32;
/** Parts of a letter lie together, but for those of letters that were written at the same time. */
const partsWithin = 1_000;
const requestTimeoutMs = 5_000;

/** The stream of dead letters, read by sequence: that leaves no consumer behind. */
export class DeadLetters {
  readonly #jsm: JetStreamManager;

  private constructor(jsm: JetStreamManager) {
    this.#jsm = jsm;
  }

  static async open({ connection }: Nats): Promise<DeadLetters> {
    const options = { timeout: requestTimeoutMs, checkAPI: false };
    return new DeadLetters(await connection.jetstreamManager(options));
  }

  /** The newest letters that match, at most `limit`. */
  async list(filter: DeadLetterFilter, limit: number): Promise<DeadLetterList> {
    const sequences = (await this.#sequences())
      .filter((sequence) => sequence < (filter.before ?? Number.POSITIVE_INFINITY))
      .reverse();
    let parts: DeadPart[] = [];
    let looked = 0;
    while (looked < sequences.length && countWhole(parts) <= limit) {
      const batch = await this.read(sequences.slice(looked, looked + readParallel));
      parts = [...parts, ...batch.filter((part) => matches(part, filter)).map(withoutBody)];
      looked += readParallel;
    }
    const atStart = looked >= sequences.length;
    // Of a letter in parts the first may lie behind the end of the search.
    const letters = joinParts(parts).filter(({ missing }) => atStart || !missing.includes(1));
    return { letters: letters.slice(-limit), more: letters.length > limit || !atStart };
  }

  /** The letter with this id, whole; undefined when there is none. */
  async find(id: number): Promise<StoredLetter | undefined> {
    const [asked] = await this.read([id]);
    if (!asked) return undefined;
    const { part, parts: count } = asked.letter;
    if (count === undefined) return joinParts([asked])[0];
    const from = part === 1 ? id : id - partsWithin;
    const near = (await this.#sequences()).filter(
      (sequence) => sequence >= from && sequence <= id + partsWithin,
    );
    let found: DeadPart[] = [];
    for (let looked = 0; looked < near.length; looked += readParallel) {
      const batch = await this.read(near.slice(looked, looked + readParallel));
      found = [...found, ...batch.filter(({ key }) => key === asked.key)];
      if (joinParts(found)[0]?.missing.length === 0) break;
    }
    return joinParts(found)[0];
  }

  /** The messages with these sequences, in their order; those that are gone are left out. */
  async read(sequences: readonly number[]): Promise<DeadPart[]> {
    const found = await Promise.all(sequences.map((sequence) => this.#get(sequence)));
    return found.flatMap((message) => message ?? []).map(partOf);
  }

  /**
   * Removes a letter, its first part first: once that is gone the letter counts as handled. Safe to
   * repeat.
   */
  async remove(sequences: readonly number[]): Promise<void> {
    for (const sequence of sequences) {
      await orThrow(`remove dead letter ${sequence}`, () => this.#removeOne(sequence));
    }
  }

  /** The server has several answers, and no code of its own, for what is not there any more. */
  async #removeOne(sequence: number): Promise<void> {
    try {
      await this.#jsm.streams.deleteMessage(streams.dead, sequence, false);
    } catch (error) {
      if (await this.#get(sequence)) throw error;
    }
  }

  /** Those of the sequences that are still there. One request, however many they are. */
  async remaining(sequences: readonly number[]): Promise<Set<number>> {
    const present = new Set(await this.#sequences());
    return new Set(sequences.filter((sequence) => present.has(sequence)));
  }

  async #sequences(): Promise<number[]> {
    const { state } = await orThrow('read stream of dead letters', () =>
      this.#jsm.streams.info(streams.dead, { deleted_details: true }),
    );
    if (state.messages === 0) return [];
    // Absent when nothing was deleted, whatever the client's types say.
    const { deleted: gaps }: { deleted?: number[] } = state;
    const deleted = new Set(gaps);
    const length = state.last_seq - state.first_seq + 1;
    const all = Array.from({ length }, (_, index) => state.first_seq + index);
    return all.filter((sequence) => !deleted.has(sequence));
  }

  async #get(seq: number): Promise<StoredMsg | undefined> {
    return await orMissing(`read dead letter ${seq}`, () =>
      this.#jsm.streams.getMessage(streams.dead, { seq }),
    );
  }
}

function partOf(message: StoredMsg): DeadPart {
  const { seq: sequence, subject, header, time } = message;
  const messageId = header.get('Nats-Msg-Id');
  const storedAt = time.toISOString();
  const traceparent = header.get('traceparent') || undefined;
  const text = message.string();
  return readPart({ sequence, subject, messageId, text, storedAt, traceparent });
}

function withoutBody(part: DeadPart): DeadPart {
  return { ...part, letter: { ...part.letter, body: '' } };
}

function countWhole(parts: readonly DeadPart[]): number {
  return joinParts(parts).filter(({ missing }) => missing.length === 0).length;
}

function matches({ letter }: DeadPart, { service, kind, scaleSetIds }: DeadLetterFilter): boolean {
  return (
    (service === undefined || letter.service === service) &&
    (kind === undefined || letter.kind === kind) &&
    (scaleSetIds === undefined || scaleSetIds.includes(letter.scaleSetId ?? ''))
  );
}

async function orThrow<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw natsFailure(what, cause);
  }
}

async function orMissing<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  return await orThrow(what, async () => {
    try {
      return await call();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  });
}
