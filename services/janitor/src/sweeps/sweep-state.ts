import { type SweepState, sweepConfirmationKey, sweepKey } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import type { SweepConfirmationStore, SweepStore } from '@baton/shared/stores';
import type { SweepPart } from './parts.ts';
import type { Standing } from './run-sweep.ts';

export interface StateDeps {
  sweeps: SweepStore;
  confirmations: SweepConfirmationStore;
}

/** What a run leaves behind. */
export type RunNote = Pick<
  SweepState,
  'by' | 'startedAt' | 'tookMs' | 'lookedAt' | 'acted' | 'left' | 'recent' | 'hold' | 'problem'
>;

/**
 * What stands in NATS about a part, while a run of it goes on. Each write is a compare-and-set after what
 * was read: a process that does not know yet that it leads no more writes nothing.
 */
export class StandingState {
  readonly #deps: StateDeps;
  readonly #part: SweepPart;
  #revision: number | undefined;
  #state: SweepState | undefined;

  constructor(deps: StateDeps, part: SweepPart) {
    this.#deps = deps;
    this.#part = part;
  }

  async read(): Promise<Standing> {
    const { sweeps, confirmations } = this.#deps;
    const { sweep, hostId } = this.#part;
    const entry = await sweeps.get(sweepKey(sweep.name, hostId));
    this.#revision = entry?.revision;
    this.#state = entry?.value;
    const confirmation = entry?.value.hold
      ? (await confirmations.get(sweepConfirmationKey(sweep.name, hostId)))?.value
      : undefined;
    return { state: entry?.value, confirmation };
  }

  /** @throws AppError `conflict` when somebody else has written meanwhile. */
  async write(note: RunNote): Promise<void> {
    const { sweeps } = this.#deps;
    const { name } = this.#part.sweep;
    const { hostId } = this.#part;
    const key = sweepKey(name, hostId);
    const state: SweepState = { ...this.#state, ...note, v: 1, sweep: name, hostId };
    const revision =
      this.#revision === undefined
        ? await sweeps.create(key, state)
        : await sweeps.update(key, state, this.#revision);
    if (revision === undefined)
      throw new AppError('conflict', `sweep ${name} is led by another janitor by now`);
    this.#revision = revision;
    this.#state = state;
  }
}
