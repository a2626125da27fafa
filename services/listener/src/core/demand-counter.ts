import { isDeepStrictEqual } from 'node:util';
import type { JobMessage, Statistics } from '@baton/scaleset';
import { backlogLimits } from './backlog-limits.ts';
import { jobKey } from './job-key.ts';

interface RunnerCounts {
  registered: number;
  busy: number;
  idle: number;
}

/** After this time an assigned job must have reached GitHub's statistics, in ms. */
const trustJobsMs = 120_000;

interface DemandOptions {
  /** Above that of every demand of the same epoch, which had other sessions. Default 0. */
  firstSeq?: number;
  /** The backlog is taken to be over at the latest this long after the opening, in ms. */
  backlogMaxMs?: number;
}

/**
 * Counts the demand of one session: jobs assigned to the scale set and not completed.
 *
 * GitHub's statistics are the base; jobs seen in messages correct them upwards, because statistics
 * have been seen at zero while the body brought jobs. The statistics of messages that piled up
 * while nobody listened are stale and are not used; those of opening the session are.
 */
export class DemandCounter {
  readonly #openedAt: number;
  readonly #opening: number;
  /** Assigned and not completed, by key, with the monotonic time of the assignment. */
  readonly #open = new Map<string, number>();
  #backlog = true;
  /** The backlog brought jobs, so the statistics of opening are not those of now. */
  #stale = false;
  readonly #firstSeq: number;
  readonly #backlogMaxMs: number;
  #seq: number;
  #assigned: number;
  /** Of the demand of now: what GitHub said. */
  #said: number;
  /** What GitHub said last of the runners; of a backlog nothing. */
  #runners: RunnerCounts | undefined;

  constructor(opening: Statistics | undefined, now: number, options: DemandOptions = {}) {
    const { firstSeq = 0, backlogMaxMs = backlogLimits(0).maxMs } = options;
    this.#backlogMaxMs = backlogMaxMs;
    this.#firstSeq = firstSeq;
    this.#seq = firstSeq;
    this.#opening = opening?.totalAssignedJobs ?? 0;
    this.#assigned = this.#opening;
    this.#said = this.#opening;
    this.#openedAt = now;
    this.#runners = runnerCounts(opening);
  }

  /** The runners that GitHub counts, with the demand of now. */
  get runners(): Partial<RunnerCounts> {
    return this.#runners ?? {};
  }

  get current(): { seq: number; assigned: number } {
    return { seq: this.#seq, assigned: this.#assigned };
  }

  /** Jobs assigned now, those of a backlog too. */
  assignedNow(now: number): number {
    return Math.max(this.#assigned, this.#openJobs(now));
  }

  /** Jobs of messages hold the demand above what GitHub said: one of them may be over unseen. */
  get exceedsStatistics(): boolean {
    return this.#assigned > this.#said;
  }

  /** The sequence of the demand that will know what the message being handled says. */
  get nextSeq(): number {
    return this.#seq + 1;
  }

  /** Takes a message in; returns whether there is a new demand. */
  onMessage(jobs: readonly JobMessage[], statistics: Statistics | undefined, now: number): boolean {
    for (const job of jobs) {
      if (job.kind === 'JobAssigned' && !this.#open.has(jobKey(job))) {
        this.#open.set(jobKey(job), now);
      } else if (job.kind === 'JobCompleted') this.#open.delete(jobKey(job));
    }
    if (this.inBacklog(now)) {
      this.#stale ||= jobs.length > 0;
      return false;
    }
    this.#runners = runnerCounts(statistics) ?? this.#runners;
    this.#next(statistics?.totalAssignedJobs ?? 0, now);
    return true;
  }

  /**
   * Statistics that GitHub was asked for when the demand was `seq`, because it had said nothing for
   * long; returns whether there is a new demand. A message that came meanwhile knows better.
   */
  onStatistics(statistics: Statistics | undefined, seq: number, now: number): boolean {
    if (!statistics || seq !== this.#seq || this.inBacklog(now)) return false;
    const { totalAssignedJobs: said } = statistics;
    const runners = runnerCounts(statistics);
    const sameRunners = isDeepStrictEqual(runners, this.#runners);
    if (sameRunners && Math.max(said, this.#openJobs(now)) === this.#assigned) return false;
    this.#runners = runners;
    this.#next(said, now);
    return true;
  }

  /**
   * GitHub holds a poll, or has held one, which ends the backlog. Returns whether GitHub should
   * be asked for statistics of now: jobs that the backlog completed may or may not stand in those of
   * opening. Then `settle` follows.
   */
  onPollHeld(): boolean {
    const ask = this.#backlog && this.#stale;
    this.#backlog = false;
    return ask;
  }

  /** Statistics of after the backlog; returns whether there is a new demand. */
  settle(statistics: Statistics | undefined, now: number): boolean {
    // A message that came in the meantime brought newer ones.
    if (this.#seq > this.#firstSeq) return false;
    this.#runners = runnerCounts(statistics) ?? this.#runners;
    this.#next(statistics?.totalAssignedJobs ?? this.#opening, now);
    return true;
  }

  /** Whether messages that come now are taken for such that piled up while nobody listened. */
  inBacklog(now: number): boolean {
    return this.#backlog && now - this.#openedAt < this.#backlogMaxMs;
  }

  #next(said: number, now: number): void {
    this.#backlog = false;
    this.#seq += 1;
    this.#said = said;
    this.#assigned = Math.max(said, this.#openJobs(now));
  }

  #openJobs(now: number): number {
    for (const [key, since] of this.#open) {
      if (now - since > trustJobsMs) this.#open.delete(key);
    }
    return this.#open.size;
  }
}

function runnerCounts(statistics: Statistics | undefined): RunnerCounts | undefined {
  if (!statistics) return undefined;
  const { totalRegisteredRunners, totalBusyRunners, totalIdleRunners } = statistics;
  return { registered: totalRegisteredRunners, busy: totalBusyRunners, idle: totalIdleRunners };
}
