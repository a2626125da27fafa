import type { RunnerCommand } from '@baton/shared/contracts';
import { inTrace, type Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';
import { type Hands, type LaneLoad, nextLane } from './core/next-lane.ts';

/** `held-back`: it did not succeed, and the next may not either. */
export type CreateResult = 'created' | 'held-back' | 'nothing';

interface QueueDeps {
  /** Looks at the record of a command and does what it needs. May run twice for one runner. */
  create: (command: RunnerCommand, signal: AbortSignal) => Promise<CreateResult>;
  /** Runners of the scale set that wait for creation in the provider: any of them, `count` at most. */
  findWaiting: (scaleSetId: string, provider: string, count: number) => Promise<RunnerCommand[]>;
  handsOf: (provider: string) => Hands;
  clock: Clock;
  log: Logger;
  /** Aborted when the drain budget is nearly used up: creates under way are cut short. */
  signal: AbortSignal;
}

interface Lane extends LaneLoad {
  scaleSetId: string;
  provider: string;
  commands: RunnerCommand[];
  /** Commands found no room: there is more to do than what waits here. */
  more: boolean;
  searching: boolean;
}

/** What may wait in memory, compared to what may run: more would keep it from other provisioners. */
const waitingPerHand = 4;
/** Records are searched for more work at most this often for one scale set, in ms. */
const searchEveryMs = 500;

/**
 * The creates of a provisioner, fair and bounded. Scale sets of one provider take turns; providers
 * have nothing to do with each other. What waits here is only known here: when the process ends,
 * or a queue is full, the records say what is to be done, and the periodic pass asks again.
 */
export class CreateQueue {
  readonly #deps: QueueDeps;
  /** Per provider, in their turn. */
  readonly #lanes = new Map<string, Lane[]>();
  /** Runners that wait or are being created here. */
  readonly #known = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
  }

  /** Whether the runner waits or is being created here. */
  has(runnerId: string): boolean {
    return this.#known.has(runnerId);
  }

  /**
   * Takes a command on; never waits. One for a runner that is known here changes nothing, one that
   * finds the queue of its scale set full is left to the record.
   */
  offer(command: RunnerCommand): void {
    if (this.#stopped || this.#known.has(command.runnerId)) return;
    const lane = this.#laneOf(command);
    if (lane.waiting >= this.#mostWaiting(lane)) {
      lane.more = true;
      return;
    }
    this.#known.add(command.runnerId);
    lane.commands.push(command);
    lane.waiting += 1;
    this.#start(lane.provider);
  }

  /** Starts no more, and returns what waited: others can do it. */
  stop(): RunnerCommand[] {
    this.#stopped = true;
    const waiting = [...this.#lanes.values()].flat().flatMap(({ commands }) => commands);
    for (const { runnerId } of waiting) this.#known.delete(runnerId);
    this.#lanes.clear();
    return waiting;
  }

  /** Resolves when nothing is being created any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #mostWaiting({ provider }: Lane): number {
    return waitingPerHand * this.#deps.handsOf(provider).perScaleSet;
  }

  #laneOf({ scaleSetId, provider = '' }: RunnerCommand): Lane {
    const lanes = this.#lanes.get(provider) ?? [];
    this.#lanes.set(provider, lanes);
    const known = lanes.find((lane) => lane.scaleSetId === scaleSetId);
    if (known) return known;
    const counts = { waiting: 0, running: 0, suspect: false, more: false, searching: false };
    const lane = { scaleSetId, provider, commands: [], ...counts };
    lanes.push(lane);
    return lane;
  }

  #start(provider: string): void {
    const lanes = this.#lanes.get(provider) ?? [];
    for (;;) {
      const index = nextLane(lanes, this.#deps.handsOf(provider));
      const lane = index === undefined ? undefined : lanes[index];
      const command = lane?.commands.shift();
      if (index === undefined || !lane || !command) return;
      // Whose turn it was goes to the end.
      lanes.push(...lanes.splice(index, 1));
      lane.waiting -= 1;
      lane.running += 1;
      const running = this.#run(lane, command);
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
      this.#searchWhenLow(lane);
    }
  }

  /** Never rejects. */
  async #run(lane: Lane, command: RunnerCommand): Promise<void> {
    const { create, log, signal } = this.#deps;
    const { scaleSetId, runnerId, traceparent } = command;
    try {
      // Not in that of whose create came to its end here before.
      const result = await inTrace(traceparent ?? null, () => create(command, signal));
      if (result !== 'nothing') lane.suspect = result === 'held-back';
    } catch (err) {
      if (!isAborted(signal))
        log.warn({ scaleSetId, runnerId, err }, 'create was interrupted, the pass asks again');
    }
    this.#known.delete(runnerId);
    lane.running -= 1;
    this.#forgetAtRest(lane);
    this.#start(lane.provider);
  }

  /** A suspect stays known, so that its next create is still the only one. */
  #forgetAtRest(lane: Lane): void {
    if (lane.waiting + lane.running > 0) return;
    if (lane.suspect || lane.more || lane.searching) return;
    const lanes = this.#lanes.get(lane.provider) ?? [];
    const index = lanes.indexOf(lane);
    if (index >= 0) lanes.splice(index, 1);
  }

  #searchWhenLow(lane: Lane): void {
    if (this.#stopped || !lane.more || lane.searching) return;
    if (lane.waiting > this.#mostWaiting(lane) / 2) return;
    lane.searching = true;
    const searching = this.#search(lane).finally(() => {
      lane.searching = false;
      this.#searchWhenLow(lane);
      this.#forgetAtRest(lane);
    });
    this.#running.add(searching);
    void searching.finally(() => this.#running.delete(searching));
  }

  /** Never rejects. */
  async #search(lane: Lane): Promise<void> {
    const { findWaiting, clock, log, signal } = this.#deps;
    const { scaleSetId, provider } = lane;
    lane.more = false;
    try {
      const count = this.#mostWaiting(lane) - lane.waiting;
      const found = await findWaiting(scaleSetId, provider, count + 1);
      for (const command of found) this.offer(command);
      if (found.length > count) lane.more = true;
      if (found.length > 0) await clock.sleep(searchEveryMs, signal);
    } catch (err) {
      if (!isAborted(signal)) log.debug({ scaleSetId, err }, 'no more work found, the pass asks');
    }
  }
}
