import type { JobMessage, Statistics } from '@baton/scaleset';

/** All in ms. */
export interface WaitingPolicy {
  /** Jobs that wait so long while none is assigned are told to the operator. */
  notAssignedMs: number;
  /** Jobs are to be had and none was offered for so long: their offers were lost. */
  offerQuietMs: number;
  /** How old statistics may be: when nothing happens, nobody sends new ones. */
  maxAgeMs: number;
  /** The same while jobs wait. */
  maxAgeWaitingMs: number;
}

export const defaultWaitingPolicy: WaitingPolicy = {
  notAssignedMs: 300_000,
  offerQuietMs: 60_000,
  maxAgeMs: 600_000,
  maxAgeWaitingMs: 60_000,
};

/** What GitHub's statistics say about jobs that wait for a scale set. Pure; times are monotonic, in ms. */
export class WaitingJobs {
  readonly #policy: WaitingPolicy;
  #available = 0;
  #idle = 0;
  #seenAt: number;
  #offeredAt: number;
  /** Since when jobs wait and none is assigned. */
  #noneSince: number | undefined;

  constructor(policy: WaitingPolicy, now: number) {
    this.#policy = policy;
    this.#seenAt = now;
    this.#offeredAt = now;
  }

  get available(): number {
    return this.#available;
  }

  /** Runners that are online and have no job. */
  get idle(): number {
    return this.#idle;
  }

  /** Whether jobs wait and none is assigned, for however long. */
  get noneAssigned(): boolean {
    return this.#noneSince !== undefined;
  }

  /** `canRun`: the capacity that GitHub was told is not 0, so it has no reason to assign nothing. */
  onStatistics(statistics: Statistics | undefined, canRun: boolean, now: number): void {
    if (!statistics) return;
    this.#seenAt = now;
    this.#available = statistics.totalAvailableJobs;
    this.#idle = statistics.totalIdleRunners;
    const none = this.#available > 0 && statistics.totalAssignedJobs === 0 && canRun;
    this.#noneSince = none ? (this.#noneSince ?? now) : undefined;
  }

  onJobs(jobs: readonly JobMessage[], now: number): void {
    if (jobs.some(({ kind }) => kind === 'JobAvailable')) this.#offeredAt = now;
    if (jobs.some(({ kind }) => kind === 'JobAssigned')) this.#noneSince = undefined;
  }

  /** Whether it is time to tell that GitHub assigns nothing. */
  notAssigned(now: number): boolean {
    return this.#noneSince !== undefined && now - this.#noneSince >= this.#policy.notAssignedMs;
  }

  /** Whether jobs wait whose offers never came, or came to somebody who died with them. */
  offersLost(now: number): boolean {
    return this.#available > 0 && now - this.#offeredAt >= this.#policy.offerQuietMs;
  }

  /** In how many ms statistics of now are to be asked for; sooner when they are `doubted`. */
  askInMs(now: number, doubted = false): number {
    const { maxAgeMs, maxAgeWaitingMs } = this.#policy;
    const maxAge = doubted || this.#available > 0 ? maxAgeWaitingMs : maxAgeMs;
    return Math.max(0, this.#seenAt + maxAge - now);
  }

  /** Statistics could not be had: it is tried again when they would be old. */
  asked(now: number): void {
    this.#seenAt = now;
  }
}
