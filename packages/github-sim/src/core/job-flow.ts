import type { Clock } from '@baton/shared/time';
import { DeadlineQueue } from './deadline-queue.ts';
import { type EntryKind, jobEntry } from './job-entries.ts';
import type { JobQueues } from './job-queues.ts';
import type { Job, Runner, ScaleSet } from './model.ts';
import type { SimOptions } from './options.ts';
import type { Polls } from './polls.ts';
import { statisticsOf } from './statistics.ts';

/** A job that nobody takes is assigned this often, then cancelled. */
const maxAssignments = 3;

interface JobFlowOptions {
  clock: Clock;
  options: SimOptions;
  queues: JobQueues;
  polls: Polls;
  stop: AbortSignal;
}

interface Ending {
  status: 'completed' | 'failed' | 'canceled';
  /** What JobCompleted says. */
  result: string;
  canceledBy?: 'user' | 'service';
}

/** Moves jobs: queued, offered, assigned, running, done; and writes each step to the log. */
export class JobFlow {
  readonly #clock: Clock;
  readonly #options: SimOptions;
  readonly #queues: JobQueues;
  readonly #polls: Polls;
  readonly #reassign: DeadlineQueue<{ job: Job; assignment: number }>;
  #started = 0;

  constructor({ clock, options, queues, polls, stop }: JobFlowOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#queues = queues;
    this.#polls = polls;
    this.#reassign = new DeadlineQueue({
      clock,
      delayMs: options.reassignMs,
      stop,
      onDue: ({ job, assignment }) => this.#assignAgain(job, assignment),
    });
  }

  get jobsStarted(): number {
    return this.#started;
  }

  /**
   * Gives the set as many queued jobs as its held poll's capacity allows, answers the poll, and
   * hands assigned jobs to runners that are ready. To be called after any change to the set;
   * `wake` answers the poll even if nothing was assigned.
   */
  fill(set: ScaleSet, wake = false): void {
    const capacity = this.#capacityOf(set);
    let assigned = false;
    while (set.available.size + set.waiting.size + set.running.size < capacity) {
      const job = this.#queues.takeOldest(set);
      if (!job) break;
      this.#bind(job, set);
      assigned = true;
    }
    if (wake || (assigned && this.#options.assignedWakesPoll)) this.#polls.wake(set);
    this.match(set);
  }

  /** Starts waiting jobs, oldest first, on runners that are ready for one. */
  match(set: ScaleSet): void {
    for (const runner of set.ready) {
      const [job] = set.waiting;
      if (!job) return;
      this.#start(job, runner);
    }
  }

  /** Assigns offered jobs. Returns the ids that were still there to be had. */
  acquire(set: ScaleSet, requestIds: readonly bigint[]): bigint[] {
    const granted: bigint[] = [];
    for (const id of requestIds) {
      const job = set.available.get(id);
      if (!job) continue;
      set.available.delete(id);
      this.#assign(job, set);
      granted.push(id);
    }
    this.fill(set, this.#options.assignedWakesPoll);
    return granted;
  }

  /** Ends a job that no longer waits in a queue, and tells its scale set. */
  finish(job: Job, { status, result, canceledBy }: Ending): void {
    job.status = status;
    job.outcome = result;
    job.canceledBy = canceledBy;
    job.completedAt = this.#clock.now();
    const set = job.set;
    if (!set) return;
    unbind(job, set);
    if (!job.announced) this.#write('JobCompleted', job, set);
    this.fill(set, this.#options.completedWakesPoll);
  }

  /** Tells, too early, that a running job is over, as the service was seen to do. */
  announceCompletion(job: Job): boolean {
    const set = job.set;
    if (!set || job.status !== 'running' || job.announced) return false;
    job.announced = true;
    job.outcome = job.result;
    unbind(job, set);
    this.#write('JobCompleted', job, set);
    this.fill(set, this.#options.completedWakesPoll);
    return true;
  }

  /** Takes jobs that have not started away from a set whose session ended; they queue again. */
  retract(set: ScaleSet): void {
    for (const job of [...set.available.values(), ...set.waiting]) {
      this.#write('JobAssigned', job, set, { ...this.#options, requestIds: 'zero' });
      job.outcome = 'canceled';
      unbind(job, set);
      this.#write('JobCompleted', job, set);
      this.#requeue(job, set);
    }
  }

  /** A deleted scale set loses the jobs bound to it; those that run go on. */
  abandon(set: ScaleSet): void {
    for (const job of set.available.values()) this.#requeue(job, set);
    for (const job of set.waiting) {
      this.finish(job, { status: 'failed', result: 'abandoned' });
    }
  }

  #capacityOf({ play, session }: ScaleSet): number {
    if (play.muted || !session?.held) return 0;
    return this.#options.capacityHeeded ? session.held.capacity : Infinity;
  }

  #bind(job: Job, set: ScaleSet): void {
    job.set = set;
    if (this.#options.dialect === 'github.com') {
      this.#assign(job, set);
      return;
    }
    job.status = 'available';
    set.available.set(job.requestId, job);
    this.#write('JobAvailable', job, set);
  }

  #assign(job: Job, set: ScaleSet): void {
    job.status = 'assigned';
    job.assignedAt = this.#clock.now();
    set.waiting.add(job);
    this.#announceAssignment(job, set);
  }

  #announceAssignment(job: Job, set: ScaleSet): void {
    job.assignments += 1;
    this.#write('JobAssigned', job, set);
    this.#reassign.push({ job, assignment: job.assignments });
  }

  #assignAgain(job: Job, assignment: number): void {
    const set = job.set;
    if (!set || job.status !== 'assigned' || job.assignments !== assignment) return;
    if (assignment >= maxAssignments) {
      this.finish(job, { status: 'canceled', result: 'canceled', canceledBy: 'service' });
      return;
    }
    this.#announceAssignment(job, set);
    if (this.#options.assignedWakesPoll) this.#polls.wake(set);
  }

  #start(job: Job, runner: Runner): void {
    const set = runner.set;
    set.waiting.delete(job);
    set.running.add(job);
    set.ready.delete(runner);
    set.idle.delete(runner);
    set.busy.add(runner);
    job.status = 'running';
    job.runner = runner;
    job.startedAt = this.#clock.now();
    runner.status = 'busy';
    runner.job = job;
    runner.hadJob = true;
    this.#started += 1;
    this.#write('JobStarted', job, set);
    runner.held?.hold.end({ kind: 'job', job });
    if (this.#options.startedWakesPoll) this.#polls.wake(set);
  }

  #write(kind: EntryKind, job: Job, set: ScaleSet, options = this.#options): void {
    set.log.append(jobEntry(kind, job, options), statisticsOf(set, options.dialect));
  }

  #requeue(job: Job, set: ScaleSet): void {
    unbind(job, set);
    job.status = 'queued';
    job.set = undefined;
    job.outcome = undefined;
    job.assignedAt = undefined;
    for (const taker of this.#queues.add(job)) if (taker !== set) this.fill(taker);
  }
}

function unbind(job: Job, set: ScaleSet): void {
  set.available.delete(job.requestId);
  set.waiting.delete(job);
  set.running.delete(job);
}
