import type { ComputeProvider, CreateRequest, Instance } from '@baton/providers';
import { hostNow } from '../measure/host-now.ts';
import { type BookLine, InstanceBook } from './instance-book.ts';

/** Room enough for any benchmark. */
const room = 100_000;
/** Lines are written together, so that the book costs the process little; ms. */
const writeEveryMs = 5;

/**
 * A provider for benchmarks: an instance is a line in a book, there at once and for ever. So what is
 * measured is Baton, and when it called. Services do not know it; `instant-provisioner.ts` brings it in.
 */
export class InstantProvider implements ComputeProvider {
  readonly #book: InstanceBook;
  readonly #file: string;
  #unwritten: BookLine[] = [];

  constructor(folder: string, instance: string) {
    this.#book = new InstanceBook(folder);
    this.#file = `${instance}.jsonl`;
  }

  create(request: CreateRequest): Promise<{ instanceId: string }> {
    const { runnerId, runnerName, scaleSetId, generation } = request;
    this.#unwritten.push({ at: hostNow(), runnerId, runnerName, scaleSetId, generation });
    if (this.#unwritten.length === 1) setTimeout(() => void this.#write(), writeEveryMs);
    return Promise.resolve({ instanceId: runnerId });
  }

  async list(): Promise<Instance[]> {
    await this.#book.read();
    return [...this.#book.lines.values()].map(
      ({ at, runnerId, runnerName, scaleSetId, generation }) => ({
        instanceId: runnerId,
        runnerId,
        runnerName,
        scaleSetId,
        generation,
        createdAt: new Date(at).toISOString(),
        state: 'running',
      }),
    );
  }

  /** No benchmark deletes anything. */
  delete(): Promise<void> {
    return Promise.reject(new Error('instances of a benchmark stay'));
  }

  capacity(): Promise<{ free: number }> {
    return Promise.resolve({ free: room - this.#book.lines.size });
  }

  async #write(): Promise<void> {
    const lines = this.#unwritten;
    this.#unwritten = [];
    await this.#book.append(this.#file, lines);
  }
}
