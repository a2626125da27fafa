import type { z } from 'zod';
import { SharedRounds } from '../lifecycle/index.ts';
import type { Nats } from './connect.ts';
import { type Copied, CopiedKeys, type CopiedLookup } from './copied-keys.ts';
import type { KvBucket, LocalWrite } from './kv-bucket.ts';
import type { KvLog, LogEntry, LogState } from './kv-log.ts';

interface CopyOptions {
  /**
   * How long a bucket remembers at least that a key was deleted, in ms. What was not brought up to date
   * for half of that is read anew: a deletion may have come and been forgotten meanwhile.
   */
  deletedKeptMs: number;
}

/** Where a copy stands in the log of its bucket. */
interface Progress<T> {
  readonly keys: CopiedKeys<T>;
  /** All that was written up to this sequence is in `keys`. */
  position: number;
  /** What this process wrote behind that, which is in `keys` too. */
  readonly ahead: Set<number>;
  readonly created: string;
  /** By the local clock, in ms. */
  readonly listedAt: number;
}

/**
 * All is read anew this often, in ms: whatever is done to a stream behind our back ends with that, and
 * marks go that the bucket has forgotten.
 */
const listEveryMs = 600_000;

/**
 * A copy of a bucket in memory. After `sync` it is what the bucket held when that was called, or later: what
 * was written since the last `sync` is read by its sequence, about one request for each change, and none for
 * what this process wrote through the same `KvBucket`. A key that others write at the very moment at which
 * its sequence is to be read has moved on in the log: the copy has what it held before, or nothing when it was
 * new, until the next `sync`. Nothing is watched, and between two calls the copy grows old. Not for buckets
 * whose keys expire: that leaves no trace in the log.
 *
 * Everything is read anew when the log may have become another one: the connection was lost, the stream
 * was made again or holds less than it must, or the copy is too old.
 */
export class KvCopy<S extends z.ZodType> {
  readonly #bucket: KvBucket<S>;
  readonly #nats: Nats;
  readonly #deletedKeptMs: number;
  readonly #rounds = new SharedRounds(() => this.#round());
  #progress: Progress<z.infer<S>> | undefined;
  #syncedAt = Number.NEGATIVE_INFINITY;

  /** From now on writes through `bucket` are in the copy at once. One copy for each `KvBucket`. */
  constructor(bucket: KvBucket<S>, nats: Nats, { deletedKeptMs }: CopyOptions) {
    this.#bucket = bucket;
    this.#nats = nats;
    this.#deletedKeptMs = deletedKeptMs;
    bucket.onWrite((write) => this.#take(write));
  }

  /**
   * Brings the copy up to date; all who call while that is under way share the next round.
   * @throws AppError `nats`: the copy is then as old as before.
   */
  async sync(): Promise<void> {
    await this.#rounds.run();
  }

  /** All values; the same array until something changes. */
  all(): readonly Copied<z.infer<S>>[] {
    return this.#progress?.keys.all() ?? [];
  }

  /** The values whose key begins with this part: of "a.b" the part is "a". */
  under(part: string): Copied<z.infer<S>>[] {
    return this.#progress?.keys.under(part) ?? [];
  }

  lookup(key: string): CopiedLookup<z.infer<S>> {
    return this.#progress?.keys.lookup(key) ?? { kind: 'never' };
  }

  /**
   * Has the bucket forget that keys were deleted, where that was before `before`. A key that was
   * written again stays. Returns how many; call `sync` first.
   */
  async forgetDeleted(before: Date): Promise<number> {
    const keys = this.#progress?.keys;
    const old = keys?.marks.filter(({ deletedAt }) => deletedAt <= before) ?? [];
    for (const mark of old) {
      await this.#bucket.forget(mark.key, mark.revision);
      keys?.drop(mark);
    }
    return old.length;
  }

  async #round(): Promise<void> {
    const at = this.#nats.clock.monotonic();
    await this.#bucket.readLog(async (log) => {
      const state = await log.state();
      const progress = this.#progress;
      if (!progress || this.#mayBeAnother(progress, state, at)) {
        await this.#list(log, state, at);
        return;
      }
      const { position, keys } = progress;
      if (state.lastSeq > position) await this.#catchUp(log, progress, state.lastSeq);
      if (holdsMore(keys, state, position)) await this.#list(log, state, at);
    });
    this.#syncedAt = at;
  }

  #mayBeAnother(
    { created, position, listedAt }: Progress<z.infer<S>>,
    state: LogState,
    at: number,
  ): boolean {
    const sinceMs = at - this.#syncedAt;
    return (
      state.created !== created ||
      state.lastSeq < position ||
      this.#nats.connectedForMs() < sinceMs ||
      sinceMs > this.#deletedKeptMs / 2 ||
      at - listedAt > listEveryMs
    );
  }

  async #list(log: KvLog, { created, firstSeq, lastSeq }: LogState, at: number): Promise<void> {
    const anew: Progress<z.infer<S>> = {
      keys: new CopiedKeys(),
      position: firstSeq - 1,
      ahead: new Set(),
      created,
      listedAt: at,
    };
    await this.#catchUp(log, anew, lastSeq);
    // That took long: what was written in the meantime had moved away before it could be read.
    await this.#catchUp(log, anew, (await log.state()).lastSeq);
    this.#progress = anew;
  }

  /** Reads what was written up to `lastSeq`; the copy moves there in one step. */
  async #catchUp(log: KvLog, progress: Progress<z.infer<S>>, lastSeq: number): Promise<void> {
    const { keys, position, ahead } = progress;
    const unread = { from: position + 1, to: lastSeq, known: ahead };
    // Parsed as it comes, so that a thousand answers do not hold the process up in one piece.
    const written = await log.between(unread, (entry) => ({ entry, value: this.#valueOf(entry) }));
    for (const { entry, value } of written) {
      const { key, revision, text, writtenAt } = entry;
      if (text === undefined) keys.mark({ key, revision, deletedAt: writtenAt });
      else if (value === undefined) keys.drop({ key, revision });
      else keys.set({ key, revision, value });
    }
    progress.position = Math.max(position, lastSeq);
    for (const revision of ahead) if (revision <= progress.position) ahead.delete(revision);
  }

  #valueOf({ key, text }: LogEntry): z.infer<S> | undefined {
    return text === undefined ? undefined : this.#bucket.readText(key, text);
  }

  /** What was read up to here may have been deleted since: only what lies ahead is news. */
  #take({ key, text, revision }: LocalWrite): void {
    const progress = this.#progress;
    if (!progress || revision <= progress.position) return;
    if (text === undefined) {
      // By the local clock: it is close enough to that of the server for when it may be forgotten.
      progress.keys.mark({ key, revision, deletedAt: new Date(this.#nats.clock.now()) });
    } else {
      const value = this.#bucket.readText(key, text);
      if (value === undefined) return;
      progress.keys.set({ key, value, revision });
    }
    progress.ahead.add(revision);
  }
}

/**
 * Whether the copy, which stood at `position` before, holds more than the bucket: values went without
 * leaving a mark, as when a stream is purged by hand. Cheap unless there may be some.
 */
function holdsMore<T>(
  keys: CopiedKeys<T>,
  { firstSeq, lastSeq, messages }: LogState,
  position: number,
): boolean {
  if (firstSeq <= position && keys.size <= messages) return false;
  const read = keys.all().filter(({ revision }) => revision <= lastSeq);
  return read.length > messages || read.some(({ revision }) => revision < firstSeq);
}
