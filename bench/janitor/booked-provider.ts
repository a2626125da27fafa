import { join } from 'node:path';
import type { ComputeProvider, Instance } from '@baton/providers';
import type { Clock } from '@baton/shared/time';
import { hostNow } from '../measure/host-now.ts';
import { type BookLine, InstanceBook } from '../pipeline/instance-book.ts';

/** The folders of its two books, in the folder that it is given. */
export const bookFolders = { made: 'made', deleted: 'deleted' } as const;

/** Lines are written together, so that the book costs the process little; ms. */
const writeEveryMs = 5;

interface BookedOptions {
  folder: string;
  /** Names the file that this process writes. */
  instance: string;
  /** How long a delete takes, ms. */
  deleteMs: number;
  clock: Clock;
}

/**
 * A provider for benchmarks of the janitor: its instances are lines in a book that the benchmark writes,
 * and it writes into another one when each was deleted. Services do not know it; `booked-janitor.ts`
 * brings it in.
 */
export class BookedProvider implements ComputeProvider {
  readonly #options: BookedOptions;
  readonly #made: InstanceBook;
  readonly #deletedBook: InstanceBook;
  readonly #deleted = new Set<string>();
  #unwritten: BookLine[] = [];

  constructor(options: BookedOptions) {
    this.#options = options;
    this.#made = new InstanceBook(join(options.folder, bookFolders.made));
    this.#deletedBook = new InstanceBook(join(options.folder, bookFolders.deleted));
  }

  create(): Promise<{ instanceId: string }> {
    return Promise.reject(new Error('a janitor creates nothing'));
  }

  async list(): Promise<Instance[]> {
    await this.#made.read();
    return [...this.#made.lines.values()]
      .filter(({ runnerId }) => !this.#deleted.has(runnerId))
      .map(({ at, runnerId, runnerName, scaleSetId, generation }) => ({
        instanceId: runnerId,
        runnerId,
        runnerName,
        scaleSetId,
        generation,
        createdAt: new Date(at).toISOString(),
        state: 'running',
      }));
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    const { clock, deleteMs } = this.#options;
    if (deleteMs > 0) await clock.sleep(deleteMs, signal);
    if (this.#deleted.has(instanceId)) return;
    this.#deleted.add(instanceId);
    const unknown = { runnerName: '', scaleSetId: '', generation: '' };
    this.#unwritten.push({ at: hostNow(), runnerId: instanceId, ...unknown });
    if (this.#unwritten.length === 1) setTimeout(() => void this.#write(), writeEveryMs);
  }

  capacity(): Promise<{ free: number }> {
    return Promise.resolve({ free: 0 });
  }

  async #write(): Promise<void> {
    const lines = this.#unwritten;
    this.#unwritten = [];
    await this.#deletedBook.append(`${this.#options.instance}.jsonl`, lines);
  }
}
