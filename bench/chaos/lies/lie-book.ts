import { appendFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Call, callOf, type ToldLie, toldLieSchema } from './lie.ts';
import type { Deleted } from './list-as-told.ts';

const instanceSchema = z.object({
  instanceId: z.string(),
  runnerId: z.string(),
  runnerName: z.string(),
  scaleSetId: z.string(),
  generation: z.string(),
  createdAt: z.string(),
  state: z.enum(['starting', 'running', 'exited']),
  exitCode: z.number().exactOptional(),
  exitedAt: z.string().exactOptional(),
});
const deletedSchema: z.ZodType<Deleted> = z.object({
  instance: instanceSchema,
  atMs: z.number(),
  lingersUntilMs: z.number().exactOptional(),
});

/** A runner that a process was told something untrue about. */
const toldSchema = z.object({
  lie: z.int(),
  /** Wall clock, ms. */
  atMs: z.number(),
  by: z.string(),
  runnerId: z.string(),
  runnerName: z.string(),
  scaleSetId: z.string(),
});
export type Told = z.infer<typeof toldSchema>;

const liesFile = 'lies.json';
const told = 'told-';
const deleted = 'deleted-';

/**
 * The folder by which the driver tells providers how to lie, and in which they write down what they said:
 * one file for what is lied now, which the driver replaces whole, and files of each process that only it
 * appends to.
 */
export class LieBook {
  readonly #folder: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** For the driver: these lies are told from now on, and no others. */
  async write(lies: readonly ToldLie[]): Promise<void> {
    const file = join(this.#folder, liesFile);
    // One after the other, so that the last one stands.
    const writing = this.#writing.then(async () => {
      await writeFile(`${file}.new`, JSON.stringify(lies));
      await rename(`${file}.new`, file);
    });
    this.#writing = writing.catch(() => undefined);
    await writing;
  }

  /** The lie that this process is told about this call now. */
  async find(call: Call, by: string, nowMs: number): Promise<ToldLie | undefined> {
    const lies = await this.#lies(nowMs);
    return lies.find((lie) => callOf(lie) === call && lie.whom.includes(by));
  }

  /** Whether anything may be listed now, to whomever, that was deleted. */
  async mayLinger(nowMs: number): Promise<boolean> {
    return (await this.#lies(nowMs)).some(({ what }) => what === 'delete lingers');
  }

  async noteTold(lines: readonly Told[]): Promise<void> {
    await this.#append(told, lines);
  }

  async noteDeleted(by: string, line: Deleted): Promise<void> {
    await this.#append(deleted, [{ by, ...line }]);
  }

  async told(): Promise<Told[]> {
    return await this.#read(told, toldSchema);
  }

  async deleted(): Promise<Deleted[]> {
    return await this.#read(deleted, deletedSchema);
  }

  async #lies(nowMs: number): Promise<ToldLie[]> {
    const text = await readFile(join(this.#folder, liesFile), 'utf8').catch(() => '[]');
    return z
      .array(toldLieSchema)
      .parse(JSON.parse(text))
      .filter(({ untilMs }) => nowMs < untilMs);
  }

  async #append(kind: string, lines: readonly { by: string }[]): Promise<void> {
    for (const [by, own] of Map.groupBy(lines, (line) => line.by)) {
      const text = own.map((line) => `${JSON.stringify(line)}\n`).join('');
      await appendFile(join(this.#folder, `${kind}${by}.jsonl`), text);
    }
  }

  /** A last line that is being written, or whose writer was killed, is left out. */
  async #read<T>(kind: string, schema: z.ZodType<T>): Promise<T[]> {
    const files = (await readdir(this.#folder)).filter((name) => name.startsWith(kind));
    const texts = await Promise.all(
      files.map((name) => readFile(join(this.#folder, name), 'utf8')),
    );
    return texts.flatMap((text) => text.split('\n').flatMap((line) => readLine(line, schema)));
  }
}

function readLine<T>(line: string, schema: z.ZodType<T>): T[] {
  try {
    const parsed = schema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
