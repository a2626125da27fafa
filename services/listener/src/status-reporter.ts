import type { ScaleSetState, Status } from '@baton/shared/contracts';
import type { StatusStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';

interface StatusDeps {
  statuses: StatusStore;
  clock: Clock;
  log: Logger;
}

/** A poll or a message alone is written at most this often, in ms. */
const quietMs = 10_000;

/** Tells the operator what happens to one scale set. Best effort: never stops the work. */
export class StatusReporter {
  readonly #deps: StatusDeps;
  #status: Status;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: StatusDeps, scaleSetId: string, owner: string) {
    this.#deps = deps;
    const since = isoNow(deps.clock);
    this.#status = { v: 1, scaleSetId, state: 'waiting', owner, epoch: 0, since };
  }

  get state(): ScaleSetState {
    return this.#status.state;
  }

  /** Enters a state, or says more about it. What is not given again is dropped. */
  enter(state: ScaleSetState, more: Partial<Omit<Status, 'state'>> = {}): void {
    const { v, scaleSetId, owner, epoch, since, lastPollAt, lastMessageAt } = this.#status;
    const changed = state !== this.#status.state;
    this.#status = {
      v,
      scaleSetId,
      owner,
      epoch,
      ...(lastPollAt ? { lastPollAt } : {}),
      ...(lastMessageAt ? { lastMessageAt } : {}),
      ...more,
      state,
      since: changed ? isoNow(this.#deps.clock) : since,
    };
    this.#write();
  }

  /** Not ours any more, or not yet: the listener that has it reports from here on. */
  leaveQuietly(): void {
    this.#status = { ...this.#status, state: 'waiting', since: isoNow(this.#deps.clock) };
  }

  polled(withMessage: boolean): void {
    const lastPollAt = isoNow(this.#deps.clock);
    this.#status = {
      ...this.#status,
      lastPollAt,
      ...(withMessage ? { lastMessageAt: lastPollAt } : {}),
    };
    if (this.#deps.clock.monotonic() - this.#writtenAt >= quietMs) this.#write();
  }

  /** Resolves when everything said so far was written, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #write(): void {
    const { statuses, clock, log } = this.#deps;
    this.#writtenAt = clock.monotonic();
    this.#writing = this.#writing.then(async () => {
      await statuses.put(this.#status.scaleSetId, this.#status).catch((err: unknown) => {
        log.debug({ err }, 'status could not be written');
      });
    });
  }
}
