import type { JournalEntry, SimControl } from '@baton/github-sim';
import type { Clock } from '@baton/shared/time';

const lookEveryMs = 20;

/** Follows the simulator's journal, reading every entry once. */
export class JournalReader {
  readonly entries: JournalEntry[] = [];
  readonly #sim: SimControl;
  readonly #clock: Clock;
  #reading: Promise<void> = Promise.resolve();

  constructor(sim: SimControl, clock: Clock) {
    this.#sim = sim;
    this.#clock = clock;
  }

  /** The number of the last entry that was read. */
  get position(): number {
    return this.entries.at(-1)?.number ?? 0;
  }

  /** Reads what is new. Two reads follow one another, so that no entry is read twice. */
  async read(): Promise<void> {
    const reading = this.#reading.then(async () => {
      for (const entry of await this.#sim.journal(this.position)) this.entries.push(entry);
    });
    this.#reading = reading.catch(() => undefined);
    await reading;
  }

  /** The entries behind this number. */
  since(position: number): JournalEntry[] {
    const first = this.entries[0]?.number ?? 1;
    return this.entries.slice(Math.max(0, position + 1 - first));
  }

  /** Reads on until `enough`, which is given what stands behind `position`; or rejects with the signal. */
  async until(
    position: number,
    enough: (entries: readonly JournalEntry[]) => boolean,
    signal: AbortSignal,
  ): Promise<JournalEntry[]> {
    for (;;) {
      await this.read();
      const entries = this.since(position);
      if (enough(entries)) return entries;
      await this.#clock.sleep(lookEveryMs, signal);
    }
  }
}
