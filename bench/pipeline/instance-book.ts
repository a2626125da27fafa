import { appendFile, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const lineSchema = z.object({
  /** Wall clock of the host, ms with fractions: the same for all its processes. */
  at: z.number(),
  runnerId: z.string(),
  runnerName: z.string(),
  scaleSetId: z.string(),
  generation: z.string(),
});
export type BookLine = z.infer<typeof lineSchema>;

/**
 * What instant providers were asked to create: a file for each process, which only that process appends
 * to, in a folder that all of them read.
 */
export class InstanceBook {
  readonly #folder: string;
  /** How far each file was read, in bytes; a line that is being written is left for the next time. */
  readonly #positions = new Map<string, number>();
  readonly #lines = new Map<string, BookLine>();
  #reading: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The first create of each runner, as far as it was read. */
  get lines(): ReadonlyMap<string, BookLine> {
    return this.#lines;
  }

  async append(file: string, lines: readonly BookLine[]): Promise<void> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await appendFile(join(this.#folder, file), text);
  }

  /** Reads what is new; returns runners that were not known. */
  async read(): Promise<BookLine[]> {
    const fresh: BookLine[] = [];
    const reading = this.#reading.then(async () => {
      for (const file of await readdir(this.#folder)) await this.#readFile(file, fresh);
    });
    this.#reading = reading.catch(() => undefined);
    await reading;
    return fresh;
  }

  async #readFile(file: string, fresh: BookLine[]): Promise<void> {
    const position = this.#positions.get(file) ?? 0;
    await using handle = await open(join(this.#folder, file));
    const { size } = await handle.stat();
    if (size <= position) return;
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(size - position),
      0,
      null,
      position,
    );
    const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    this.#positions.set(file, position + end);
    for (const text of buffer.toString('utf8', 0, end).split('\n').filter(Boolean)) {
      const line = lineSchema.parse(JSON.parse(text));
      if (this.#lines.has(line.runnerId)) continue;
      this.#lines.set(line.runnerId, line);
      fresh.push(line);
    }
  }
}
