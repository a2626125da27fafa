import type { Job, JobQueue, ScaleSet } from './model.ts';

/**
 * Jobs that no scale set has yet, in one queue for each wanted name or set of labels. Which sets
 * may take from which queue is worked out once, so that taking a job costs no search.
 */
export class JobQueues {
  readonly #queues = new Map<string, JobQueue>();
  readonly #sets = new Set<ScaleSet>();

  /** The scale sets that may take the job. */
  add(job: Job): ReadonlySet<ScaleSet> {
    const queue = this.#queues.get(job.queueKey) ?? this.#open(job);
    queue.jobs.add(job);
    return queue.sets;
  }

  remove(job: Job): void {
    this.#queues.get(job.queueKey)?.jobs.delete(job);
  }

  /** Takes the job that has waited longest among those that the set may have. */
  takeOldest(set: ScaleSet): Job | undefined {
    let oldest: Job | undefined;
    for (const queue of set.queues) {
      const [head] = queue.jobs;
      if (head && (!oldest || head.queuedAt < oldest.queuedAt)) oldest = head;
    }
    if (oldest) this.remove(oldest);
    return oldest;
  }

  /** To be called when a set was created or its name or labels changed. */
  connect(set: ScaleSet): void {
    this.disconnect(set);
    this.#sets.add(set);
    for (const queue of this.#queues.values()) link(queue, set);
  }

  disconnect(set: ScaleSet): void {
    this.#sets.delete(set);
    for (const queue of set.queues) queue.sets.delete(set);
    set.queues.clear();
  }

  #open(job: Job): JobQueue {
    const queue = {
      key: job.queueKey,
      labels: job.labels,
      jobs: new Set<Job>(),
      sets: new Set<ScaleSet>(),
    };
    this.#queues.set(queue.key, queue);
    for (const set of this.#sets) link(queue, set);
    return queue;
  }
}

/** The queue of jobs that want a set by name, or by all of these labels. */
export function queueKeyOf(wanted: { scaleSet?: string | undefined; labels: readonly string[] }) {
  if (wanted.scaleSet !== undefined) return nameKey(wanted.scaleSet);
  return `labels:${wanted.labels
    .map((label) => label.toLowerCase())
    .sort()
    .join(',')}`;
}

function nameKey(name: string): string {
  return `name:${name}`;
}

function link(queue: JobQueue, set: ScaleSet): void {
  const own = new Set(set.labels.map((label) => label.toLowerCase()));
  const byLabels =
    queue.key.startsWith('labels:') && queue.labels.every((label) => own.has(label.toLowerCase()));
  if (!byLabels && queue.key !== nameKey(set.name)) return;
  queue.sets.add(set);
  set.queues.add(queue);
}
