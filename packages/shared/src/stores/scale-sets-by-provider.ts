import type { Clock } from '../time/index.ts';
import type { RunnerStore, SpecStore } from './stores.ts';
import { listScaleSetIds } from './stores.ts';

interface Stores {
  specs: SpecStore;
  runners: RunnerStore;
}

/** A scale set that has, or may have had, instances at a provider. */
interface AtProvider {
  id: string;
  /** Absent when it was deleted, or is at another provider now. */
  settings?: unknown;
}

interface Declared {
  provider: string;
  settings: unknown;
}

/** A scale set that was deleted is still asked for, for this long, in ms. */
const deletedKeptMs = 24 * 3_600_000;

/**
 * Which scale sets may have instances at which provider: those that declare it, those that have runners
 * there, those that declared it while this process lived, and, for a day, those that were deleted.
 */
export class ScaleSetsByProvider {
  readonly #clock: Clock;
  readonly #stores = Promise.withResolvers<Stores>();
  /** Ids that belong, or once belonged, to a provider. */
  readonly #met = new Map<string, Set<string>>();
  /** What the specs said when they were read last, by id; undefined for a scale set just deleted. */
  #specs = new Map<string, Declared | undefined>();
  #readAt: number | undefined;
  #begun: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives it what to read from; until then everybody who asks waits. */
  bind(stores: Stores): void {
    this.#stores.resolve(stores);
  }

  readonly of = async (provider: string): Promise<AtProvider[]> => {
    const stores = await this.#stores.promise;
    this.#begun ??= this.#readRunners(stores).catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    await this.#begun;
    await this.#readSpecs(stores);
    const deleted = [...this.#specs].flatMap(([id, spec]) => (spec ? [] : [id]));
    const ids = new Set([...this.#metAt(provider), ...deleted]);
    return [...ids].flatMap((id) => {
      if (!this.#specs.has(id)) return [];
      const spec = this.#specs.get(id);
      return spec?.provider === provider ? [{ id, settings: spec.settings }] : [{ id }];
    });
  };

  /** A scale set may have moved away before this process began, and left runners behind. */
  async #readRunners({ runners }: Stores): Promise<void> {
    for (const { value } of await runners.list()) this.#metAt(value.provider).add(value.scaleSetId);
  }

  /** Only when something changed; what was deleted long ago is left out. */
  async #readSpecs({ specs }: Stores): Promise<void> {
    const version = await specs.version();
    if (version === this.#readAt) return;
    const read = new Map<string, Declared | undefined>();
    for (const id of await listScaleSetIds(specs)) {
      const found = await specs.lookup(id);
      if (found.kind === 'found') {
        const { provider, settings } = found.value.declaration;
        read.set(id, { provider, settings });
        this.#metAt(provider).add(id);
      } else if (
        found.kind === 'deleted' &&
        this.#clock.now() - found.deletedAt.getTime() < deletedKeptMs
      ) {
        read.set(id, undefined);
      }
    }
    this.#specs = read;
    this.#readAt = version;
  }

  #metAt(provider: string): Set<string> {
    const known = this.#met.get(provider) ?? new Set<string>();
    this.#met.set(provider, known);
    return known;
  }
}
