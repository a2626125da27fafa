import type { JobMessage } from '@baton/scaleset';

/** After this time a job that was granted must have come as assigned, in ms. */
const trustGrantMs = 120_000;

/**
 * The jobs that Enterprise Server offers to one session, by request id: which are acquired when, so
 * that never more are than could run. Pure; times are monotonic, in ms.
 */
export class OfferBook {
  /** Offered and not asked for, oldest first. */
  readonly #waiting = new Set<string>();
  /** Asked for and not answered. */
  readonly #asked = new Set<string>();
  /** Granted and not seen in a message, which is when the demand counts them; with the time. */
  readonly #granted = new Map<string, number>();

  offer(ids: readonly string[]): void {
    for (const id of ids) {
      if (!this.#granted.has(id) && !this.#asked.has(id)) this.#waiting.add(id);
    }
  }

  /** Nothing is left to be asked for, now or when nobody answers. */
  get isEmpty(): boolean {
    return this.#waiting.size + this.#asked.size === 0;
  }

  /** These are all that wait: others were offered once, and are somebody else's or over. */
  replace(ids: readonly string[]): void {
    this.#waiting.clear();
    this.offer(ids);
  }

  /** To be told together with the demand: these jobs are counted there, or over. */
  onJobs(jobs: readonly JobMessage[]): void {
    for (const job of jobs) {
      if (job.kind === 'unknown' || job.kind === 'JobAvailable') continue;
      for (const ids of [this.#waiting, this.#asked, this.#granted])
        ids.delete(job.runnerRequestId);
    }
  }

  /** How many more can be acquired, when `assigned` of `capacity` places are taken. */
  room(capacity: number, assigned: number, now: number): number {
    for (const [id, since] of this.#granted) {
      if (now - since > trustGrantMs) this.#granted.delete(id);
    }
    return Math.max(0, capacity - assigned - this.#granted.size - this.#asked.size);
  }

  /** The oldest of those that wait, which are to be asked for now; `putBack` or `answered` follows. */
  next(count: number): string[] {
    const ids = [...this.#waiting].slice(0, count);
    for (const id of ids) {
      this.#waiting.delete(id);
      this.#asked.add(id);
    }
    return ids;
  }

  /** Nobody answered. */
  putBack(): void {
    const later = [...this.#waiting];
    this.#waiting.clear();
    for (const id of [...this.#asked, ...later]) this.#waiting.add(id);
    this.#asked.clear();
  }

  /** What was asked for and not granted is somebody else's, or over. */
  answered(granted: readonly string[], now: number): void {
    for (const id of granted) if (this.#asked.has(id)) this.#granted.set(id, now);
    this.#asked.clear();
  }
}
