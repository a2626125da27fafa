import { join } from 'node:path';
import type { SimControl } from '@baton/github-sim';
import type { Clock } from '@baton/shared/time';
import { hostNow } from '../measure/host-now.ts';
import { type BookLine, InstanceBook } from '../pipeline/instance-book.ts';
import { briefBooks } from './brief-provider.ts';

/** How long a runner has its job at least, ms. */
const jobMs = 500;
const lookEveryMs = 25;

/** Plays the runners that a `BriefProvider` made: each comes online at once, does a job, and ends. */
export class BriefRunners implements AsyncDisposable {
  readonly #sim: SimControl;
  readonly #made: InstanceBook;
  readonly #ended: InstanceBook;
  readonly #deleted: InstanceBook;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #playing: Promise<void>;

  constructor(sim: SimControl, folder: string, clock: Clock) {
    this.#sim = sim;
    this.#made = new InstanceBook(join(folder, briefBooks.made));
    this.#ended = new InstanceBook(join(folder, briefBooks.ended));
    this.#deleted = new InstanceBook(join(folder, briefBooks.deleted));
    this.#clock = clock;
    this.#playing = this.#play();
    this.#playing.catch(() => undefined);
  }

  /** Whether all that were made were deleted. Rejects when they cannot be played. */
  async areGone(): Promise<boolean> {
    await Promise.race([this.#playing, this.#deleted.read()]);
    return this.#deleted.lines.size === this.#made.lines.size;
  }

  async #play(): Promise<void> {
    const alive = new Map<string, BookLine>();
    while (!this.#over.signal.aborted) {
      const fresh = await this.#made.read();
      for (const line of fresh) alive.set(line.runnerName, line);
      if (fresh.length > 0) await this.#sim.playRunners(fresh.map(({ runnerName }) => runnerName));
      const due = [...alive.values()].filter(({ at }) => hostNow() - at >= jobMs);
      if (due.length > 0) await this.#finish(due, alive);
      await this.#clock.sleep(lookEveryMs);
    }
  }

  /** Those that have no job yet are tried again. */
  async #finish(due: readonly BookLine[], alive: Map<string, BookLine>): Promise<void> {
    const finished = await this.#sim.finishRunners(due.map(({ runnerName }) => runnerName));
    const lines = finished.flatMap((name) => alive.get(name) ?? []);
    const at = hostNow();
    if (lines.length > 0) {
      await this.#ended.append(
        'bench.jsonl',
        lines.map((line) => ({ ...line, at })),
      );
    }
    for (const name of finished) alive.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#playing.catch(() => undefined);
  }
}
