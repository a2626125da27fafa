import type { ComputeProvider, Instance } from '@baton/providers';
import { type Clock, withDeadline } from '@baton/shared/time';

/** A provider's list of instances, by runner id. */
interface InstanceList {
  /** Wall clock when it was asked for, ms. */
  askedMs: number;
  instances: ReadonlyMap<string, Instance>;
}

interface Asking {
  /** Monotonic ms. */
  at: number;
  list: Promise<InstanceList>;
  isOver: boolean;
}

/** A list is for all who ask while it is under way, and for this long after it was asked for, in ms. */
const freshMs = 1_000;

/** The lists of providers, shared by all deletions that have to look for their instance. */
export class InstanceLists {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #askings = new Map<ComputeProvider, Asking>();

  /** `timeoutMs`: of a provider that does not say how long its list may take. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  async get(provider: ComputeProvider): Promise<InstanceList> {
    const known = this.#askings.get(provider);
    const at = this.#clock.monotonic();
    if (known && (!known.isOver || at - known.at < freshMs)) return await known.list;
    const asking: Asking = { at, list: this.#ask(provider), isOver: false };
    this.#askings.set(provider, asking);
    try {
      return await asking.list;
    } catch (error) {
      this.#askings.delete(provider);
      throw error;
    } finally {
      asking.isOver = true;
    }
  }

  async #ask(provider: ComputeProvider): Promise<InstanceList> {
    const askedMs = this.#clock.now();
    const timeoutMs = provider.listTimeoutMs ?? this.#timeoutMs;
    const listed = await withDeadline(
      { clock: this.#clock, timeoutMs, what: 'list instances' },
      (signal) => provider.list(signal),
    );
    const byRunner = listed.map((instance) => [instance.runnerId, instance] as const);
    return { askedMs, instances: new Map(byRunner) };
  }
}
