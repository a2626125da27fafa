import type { Sample } from './watch.ts';

const everyMs = 60_000;

/** Says once a minute how it goes. */
export class Progress {
  readonly #say: (text: string) => void;
  #dueMs = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  tell({ atMs, processes, buckets, lag, storeMb }: Sample): void {
    if (atMs < this.#dueMs) return;
    this.#dueMs += everyMs;
    const memory = Object.entries(processes).map(([name, { rssMb, handles }]) => {
      return `${name} ${Math.round(rssMb)} MB/${handles}`;
    });
    const keys = Object.values(buckets).reduce((sum, { messages }) => sum + messages, 0);
    const behind = Object.values(lag).reduce((sum, count) => sum + count, 0);
    const rest = `keys ${keys}, lag ${behind}, files ${Math.round(storeMb)} MB`;
    this.#say(`${Math.round(atMs / 60_000)} min  ${memory.join(', ')}; ${rest}`);
  }
}
