import { Empty, headers, type JetStreamClient, type JetStreamManager, type KV } from 'nats';
import { ZodError, type z } from 'zod';
import { ContractError } from '../errors/index.ts';
import type { Nats } from './connect.ts';
import { KvLog } from './kv-log.ts';
import { isMissing, isRevisionConflict, natsFailure } from './nats-error.ts';
import { patiently } from './patiently.ts';

/** A value with what is needed to change it safely. */
export interface Entry<T> {
  key: string;
  value: T;
  revision: number;
  /** The server's clock when this revision was written. */
  writtenAt: Date;
}

/** What a key holds: a value, nothing yet, or the mark that something was deleted. */
export type Lookup<T> =
  | ({ kind: 'found' } & Entry<T>)
  | { kind: 'never' }
  | { kind: 'deleted'; key: string; revision: number; deletedAt: Date };

/** What this process wrote: a value, or without one the mark that the key was deleted. */
export interface LocalWrite {
  key: string;
  text?: string;
  revision: number;
}

const requestTimeoutMs = 2_000;

/**
 * A KV bucket of JSON values of one schema. Every write is a compare-and-set; a write that lost
 * returns undefined or false, and changes nothing. Failures of NATS throw `AppError` `nats`: the
 * outcome is then unknown, and the caller reads again.
 */
export class KvBucket<S extends z.ZodType> {
  readonly #kv: KV;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #name: string;
  readonly #schema: S;
  readonly #nats: Nats;
  readonly #log: KvLog;
  #onWrite: ((write: LocalWrite) => void) | undefined;

  private constructor(
    name: string,
    schema: S,
    { kv, js, jsm }: { kv: KV; js: JetStreamClient; jsm: JetStreamManager },
    nats: Nats,
  ) {
    this.#name = name;
    this.#schema = schema;
    this.#kv = kv;
    this.#js = js;
    this.#jsm = jsm;
    this.#nats = nats;
    this.#log = new KvLog(nats.connection, jsm, name);
  }

  /** Opens a bucket that exists; never makes one (that would be a bucket without its TTL). */
  static async open<S extends z.ZodType>(
    nats: Nats,
    name: string,
    schema: S,
  ): Promise<KvBucket<S>> {
    try {
      return await patiently(nats, () => KvBucket.#openOnce(nats, name, schema), isMissing);
    } catch (cause) {
      throw natsFailure(`open bucket ${name}`, cause);
    }
  }

  static async #openOnce<S extends z.ZodType>(
    nats: Nats,
    name: string,
    schema: S,
  ): Promise<KvBucket<S>> {
    const js = nats.connection.jetstream({ timeout: requestTimeoutMs });
    const jsm = await nats.connection.jetstreamManager({
      timeout: requestTimeoutMs,
      checkAPI: false,
    });
    const kv = await js.views.kv(name, { bindOnly: true, allow_direct: true });
    return new KvBucket(name, schema, { kv, js, jsm }, nats);
  }

  /** The value, or undefined when there is none (never was, or deleted). */
  async get(key: string): Promise<Entry<z.infer<S>> | undefined> {
    const found = await this.lookup(key);
    return found.kind === 'found' ? found : undefined;
  }

  async lookup(key: string): Promise<Lookup<z.infer<S>>> {
    const entry = await this.#try(`read ${key}`, () => this.#kv.get(key));
    if (!entry) return { kind: 'never' };
    if (entry.operation !== 'PUT') {
      return { kind: 'deleted', key, revision: entry.revision, deletedAt: entry.created };
    }
    return {
      kind: 'found',
      key,
      value: this.#parse(key, entry.string()),
      revision: entry.revision,
      writtenAt: entry.created,
    };
  }

  /** Writes a key that holds no value; returns its revision, or undefined when it holds one. */
  async create(key: string, value: z.input<S>): Promise<number | undefined> {
    return await this.#write('create', { key, value }, (data) => this.#kv.create(key, data));
  }

  /** Writes a key that never held a value: unlike `create`, a deleted one stays deleted. */
  async createFirst(key: string, value: z.input<S>): Promise<number | undefined> {
    return await this.#write('create', { key, value }, (data) =>
      this.#kv.put(key, data, { previousSeq: 0 }),
    );
  }

  /** Replaces the value at `revision`; returns the new revision, or undefined when it has moved. */
  async update(key: string, value: z.input<S>, revision: number): Promise<number | undefined> {
    return await this.#write('update', { key, value }, (data) =>
      this.#kv.update(key, data, revision),
    );
  }

  /** Writes whatever is there: only for values with one writer and no decision behind them. */
  async put(key: string, value: z.input<S>): Promise<number> {
    const text = JSON.stringify(value);
    const revision = await this.#try(`write ${key}`, () => this.#kv.put(key, encoder.encode(text)));
    this.#onWrite?.({ key, text, revision });
    return revision;
  }

  /** Deletes the value at `revision`; false when it has moved. */
  async delete(key: string, revision: number): Promise<boolean> {
    const mark = await this.#casWrite(`delete ${key}`, async () => {
      // As the client's own `delete`, which does not say where the mark stands.
      const options = { headers: headers(), expect: { lastSubjectSequence: revision } };
      options.headers.set('KV-Operation', 'DEL');
      return (await this.#js.publish(`$KV.${this.#name}.${key}`, Empty, options)).seq;
    });
    if (mark === undefined) return false;
    this.#onWrite?.({ key, revision: mark });
    return true;
  }

  /**
   * The keys under a prefix ("a.b" finds "a.b.c"); all keys without one. May hold keys that were
   * deleted since, or before: read each. Made by one request, no consumer.
   */
  async keys(prefix?: string): Promise<string[]> {
    const root = `$KV.${this.#name}.`;
    const filter = prefix ? `${root}${prefix}.>` : `${root}>`;
    const info = await this.#try('list keys', () =>
      this.#jsm.streams.info(`KV_${this.#name}`, { subjects_filter: filter }),
    );
    return Object.keys(info.state.subjects ?? {}).map((subject) => subject.slice(root.length));
  }

  /** Another number whenever something was written since; cheap for any number of keys. */
  async version(): Promise<number> {
    const info = await this.#try('look for changes', () =>
      this.#jsm.streams.info(`KV_${this.#name}`),
    );
    return info.state.last_seq;
  }

  /** Forgets that a key was deleted, which costs as much to list as a value; not what came later. */
  async forget(key: string, revision: number): Promise<void> {
    const filter = `$KV.${this.#name}.${key}`;
    await this.#try(`forget ${key}`, () =>
      this.#jsm.streams.purge(`KV_${this.#name}`, { filter, seq: revision + 1 }),
    );
  }

  /** Has the bucket's log read, for a copy of it. */
  async readLog<T>(read: (log: KvLog) => Promise<T>): Promise<T> {
    return await this.#try('read what was written', () => read(this.#log));
  }

  /** The value of what was written; undefined, with an error in the log, when it is not readable. */
  readText(key: string, text: string): z.infer<S> | undefined {
    try {
      return this.#parse(key, text);
    } catch (err) {
      return this.#passOver(key, err);
    }
  }

  /** Tells one listener of all that is written or deleted through this object, once it is stored. */
  onWrite(listener: (write: LocalWrite) => void): void {
    this.#onWrite = listener;
  }

  /** Every value under a prefix, read with bounded parallelism. Keys that vanish are left out. */
  async list(prefix?: string): Promise<Entry<z.infer<S>>[]> {
    const keys = await this.keys(prefix);
    return await this.getMany(keys);
  }

  /**
   * The values of these keys; those that do not exist are left out. So is one that cannot be
   * understood, with an error in the log: it must not hide all others.
   */
  async getMany(keys: readonly string[]): Promise<Entry<z.infer<S>>[]> {
    const found: Entry<z.infer<S>>[] = [];
    for (let start = 0; start < keys.length; start += readParallel) {
      const batch = keys.slice(start, start + readParallel);
      const entries = await Promise.all(batch.map((key) => this.#getReadable(key)));
      for (const entry of entries) if (entry) found.push(entry);
    }
    return found;
  }

  async #getReadable(key: string): Promise<Entry<z.infer<S>> | undefined> {
    try {
      return await this.get(key);
    } catch (err) {
      return this.#passOver(key, err);
    }
  }

  #passOver(key: string, err: unknown): undefined {
    if (!(err instanceof ContractError)) throw err;
    this.#nats.log.error({ key, err }, 'record cannot be understood and is passed over');
  }

  #parse(key: string, text: string): z.infer<S> {
    try {
      return this.#schema.parse(JSON.parse(text));
    } catch (cause) {
      if (!(cause instanceof ZodError || cause instanceof SyntaxError)) throw cause;
      throw new ContractError(`record ${key} in bucket ${this.#name} cannot be understood`, {
        cause,
      });
    }
  }

  async #write(
    what: string,
    { key, value }: { key: string; value: z.input<S> },
    write: (data: Uint8Array) => Promise<number>,
  ): Promise<number | undefined> {
    const text = JSON.stringify(value);
    const revision = await this.#casWrite(`${what} ${key}`, () => write(encoder.encode(text)));
    if (revision !== undefined) this.#onWrite?.({ key, text, revision });
    return revision;
  }

  async #casWrite(what: string, write: () => Promise<number>): Promise<number | undefined> {
    try {
      return await write();
    } catch (cause) {
      if (isRevisionConflict(cause)) return undefined;
      throw natsFailure(`${what} in bucket ${this.#name}`, cause, this.#nats);
    }
  }

  async #try<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      throw natsFailure(`${what} in bucket ${this.#name}`, cause, this.#nats);
    }
  }
}

const readParallel = 64;
const encoder = new TextEncoder();
