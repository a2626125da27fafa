import { join } from 'node:path';
import type { ComputeProvider, CreateRequest, Instance } from '@baton/providers';
import { hostNow } from '../measure/host-now.ts';
import { type BookLine, InstanceBook } from '../pipeline/instance-book.ts';

/** The folders of its books, in the folder that it is given; the benchmark writes `ended`. */
export const briefBooks = { made: 'made', ended: 'ended', deleted: 'deleted' } as const;

/** Room enough for any benchmark. */
const room = 100_000;
/** Lines are written together, so that the books cost the process little; ms. */
const writeEveryMs = 5;

/**
 * A provider for benchmarks of whole lives: an instance is a line in a book, there at once; another line says
 * that it has ended, and a third that it was deleted. So what is measured is Baton. Services do not know it;
 * `brief-provisioner.ts` and `brief-janitor.ts` bring it in.
 */
export class BriefProvider implements ComputeProvider {
  readonly #file: string;
  readonly #books: Record<keyof typeof briefBooks, InstanceBook>;
  #unwritten: { book: 'made' | 'deleted'; line: BookLine }[] = [];

  constructor(folder: string, instance: string) {
    this.#file = `${instance}.jsonl`;
    this.#books = {
      made: new InstanceBook(join(folder, briefBooks.made)),
      ended: new InstanceBook(join(folder, briefBooks.ended)),
      deleted: new InstanceBook(join(folder, briefBooks.deleted)),
    };
  }

  create(request: CreateRequest): Promise<{ instanceId: string }> {
    const { runnerId, runnerName, scaleSetId, generation } = request;
    this.#write('made', { at: hostNow(), runnerId, runnerName, scaleSetId, generation });
    return Promise.resolve({ instanceId: runnerId });
  }

  async list(): Promise<Instance[]> {
    const { made, ended, deleted } = this.#books;
    // In this order: what is deleted was made before.
    for (const book of [deleted, ended, made]) await book.read();
    return [...made.lines.values()]
      .filter(({ runnerId }) => !deleted.lines.has(runnerId))
      .map(({ at, runnerId, ...line }) => {
        const end = ended.lines.get(runnerId);
        const exited = end && { exitCode: 0, exitedAt: new Date(end.at).toISOString() };
        const state = end ? 'exited' : 'running';
        const createdAt = new Date(at).toISOString();
        return { instanceId: runnerId, runnerId, ...line, createdAt, state, ...exited };
      });
  }

  delete(instanceId: string): Promise<void> {
    const unknown = { runnerName: '', scaleSetId: '', generation: '' };
    this.#write('deleted', { at: hostNow(), runnerId: instanceId, ...unknown });
    return Promise.resolve();
  }

  capacity(): Promise<{ free: number }> {
    const { made, deleted } = this.#books;
    return Promise.resolve({ free: room - made.lines.size + deleted.lines.size });
  }

  #write(book: 'made' | 'deleted', line: BookLine): void {
    this.#unwritten.push({ book, line });
    if (this.#unwritten.length === 1) setTimeout(() => void this.#flush(), writeEveryMs);
  }

  async #flush(): Promise<void> {
    const unwritten = this.#unwritten;
    this.#unwritten = [];
    for (const name of ['made', 'deleted'] as const) {
      const lines = unwritten.filter(({ book }) => book === name).map(({ line }) => line);
      if (lines.length > 0) await this.#books[name].append(this.#file, lines);
    }
  }
}
