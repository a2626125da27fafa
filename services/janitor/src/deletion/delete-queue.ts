import type { RunnerCommand } from '@baton/shared/contracts';
import { inTrace, type Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';

interface QueueDeps {
  /** Does the next step of a deletion in a lane; returns the lane of the step after it, if there is one. */
  advance: (
    command: RunnerCommand,
    lane: string,
    signal: AbortSignal,
  ) => Promise<string | undefined>;
  /** Deletions that have something to do in the lane now: any of them, `count` at most. */
  findDue: (lane: string, count: number) => Promise<RunnerCommand[]>;
  /** Told of a deletion that is begun no more because the queue was stopped: others can do it. */
  leave: (command: RunnerCommand) => Promise<void>;
  handsOf: (lane: string) => number;
  clock: Clock;
  log: Logger;
  /** Aborted when the drain budget is nearly used up: steps under way are cut short. */
  signal: AbortSignal;
}

interface Lane {
  name: string;
  waiting: RunnerCommand[];
  running: number;
  /** There is more to do than what waits here. */
  more: boolean;
  searching: boolean;
}

/** What may wait in memory, compared to what may run. */
const waitingPerHand = 20;
/** Records are searched for more work at most this often for one lane, in ms. */
const searchEveryMs = 100;

/**
 * The deletions of a janitor, bounded, by lane: one for each provider and for each way to GitHub, with
 * hands of its own, so that none keeps another waiting. A deletion goes from lane to lane, one step in each.
 * What waits here is only known here: when the process ends, or a lane is full, the records say what is
 * to be done, and the pass asks again.
 */
export class DeleteQueue {
  readonly #deps: QueueDeps;
  readonly #lanes = new Map<string, Lane>();
  /** Runners that wait, or that something is done about, here. */
  readonly #known = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
  }

  /** Whether the runner's deletion waits or is under way here. */
  has(runnerId: string): boolean {
    return this.#known.has(runnerId);
  }

  /**
   * Takes a deletion on; never waits. One that is known here changes nothing, one that finds its lane full
   * is left to the records.
   */
  offer(name: string, command: RunnerCommand): void {
    if (this.#known.has(command.runnerId)) return;
    if (this.#stopped) {
      this.#track(this.#deps.leave(command));
      return;
    }
    const lane = this.#laneOf(name);
    if (lane.waiting.length >= this.#mostWaiting(lane)) {
      lane.more = true;
      return;
    }
    this.#known.add(command.runnerId);
    lane.waiting.push(command);
    this.#start(lane);
  }

  /** Says that the records have more for a lane than it was offered. */
  expectMore(name: string): void {
    if (this.#stopped) return;
    const lane = this.#laneOf(name);
    lane.more = true;
    this.#searchWhenLow(lane);
  }

  /** Begins nothing more, and leaves what waits to others. */
  stop(): void {
    this.#stopped = true;
    const waiting = [...this.#lanes.values()].flatMap((lane) => lane.waiting.splice(0));
    for (const command of waiting) {
      this.#known.delete(command.runnerId);
      this.#track(this.#deps.leave(command));
    }
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #mostWaiting({ name }: Lane): number {
    return waitingPerHand * this.#deps.handsOf(name);
  }

  #laneOf(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = { name, waiting: [], running: 0, more: false, searching: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  #start(lane: Lane): void {
    while (lane.running < this.#deps.handsOf(lane.name)) {
      const command = lane.waiting.shift();
      if (!command) return;
      lane.running += 1;
      this.#track(this.#run(lane, command));
    }
  }

  /** Never rejects. */
  async #run(lane: Lane, command: RunnerCommand): Promise<void> {
    const { advance, log, signal } = this.#deps;
    const { scaleSetId, runnerId, traceparent } = command;
    let next: string | undefined;
    try {
      // Not in that of whose step came to its end here before.
      next = await inTrace(traceparent ?? null, () => advance(command, lane.name, signal));
    } catch (err) {
      if (!isAborted(signal))
        log.warn({ scaleSetId, runnerId, err }, 'deletion was interrupted, the pass tries again');
    }
    this.#known.delete(runnerId);
    lane.running -= 1;
    if (next !== undefined) this.offer(next, command);
    this.#start(lane);
    this.#searchWhenLow(lane);
  }

  #searchWhenLow(lane: Lane): void {
    if (this.#stopped || lane.searching) return;
    if (!lane.more) {
      if (lane.waiting.length + lane.running === 0) this.#lanes.delete(lane.name);
      return;
    }
    if (lane.waiting.length > this.#mostWaiting(lane) / 2) return;
    lane.searching = true;
    const searching = this.#search(lane).finally(() => {
      lane.searching = false;
      this.#searchWhenLow(lane);
    });
    this.#track(searching);
  }

  /** Never rejects. */
  async #search(lane: Lane): Promise<void> {
    const { findDue, clock, log, signal } = this.#deps;
    lane.more = false;
    try {
      const count = this.#mostWaiting(lane) - lane.waiting.length;
      const found = await findDue(lane.name, count + 1);
      for (const command of found) this.offer(lane.name, command);
      if (found.length > count) lane.more = true;
      if (found.length > 0) await clock.sleep(searchEveryMs, signal);
    } catch (err) {
      if (!isAborted(signal)) log.debug({ lane: lane.name, err }, 'no more found, the pass asks');
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}
