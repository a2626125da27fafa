import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Messages 1, 2, 3 and so on, which wait until they are deleted: a folder with one file for each that
 * was, which says by whom. Any process may read and delete.
 */
export class WorkQueue {
  readonly #dir: string;
  #last = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The first message that is not deleted. */
  async next(): Promise<string> {
    const deleted = new Set(await readdir(this.#dir));
    while (deleted.has(String(this.#last + 1))) this.#last += 1;
    return String(this.#last + 1);
  }

  /** Done when it is deleted already. */
  async delete(messageId: string, epoch: number): Promise<void> {
    const file = join(this.#dir, messageId);
    await writeFile(file, String(epoch), { flag: 'wx' }).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  }
}
