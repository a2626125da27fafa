import type { Instance } from '@baton/providers';
import type { Clock } from '@baton/shared/time';

/** Planning waits so long for the first list of a provider, in ms. */
const patienceMs = 1_000;
/** A provider that has not been listed so long after the start is not waited for, in ms. */
const firstListMs = 10_000;
/** So long an instance counts without a record, in ms: by then janitors have adopted what can be. */
const countedMs = 900_000;

interface OrphanCountDeps {
  clock: Clock;
  /** The names of the providers that are listed. */
  providers: Iterable<string>;
}

interface Of {
  scaleSetId: string;
  provider: string;
}

/**
 * How many instances of a scale set run without a record, by the providers' last lists. There are some when
 * NATS was lost, or an old copy of it restored: until they are adopted, nothing tells that they run the jobs
 * which GitHub counts, and each of these would be given a second runner.
 */
export class OrphanCount {
  readonly #clock: Clock;
  readonly #startMs: number;
  /** The runners whose instances live, by provider and scale set. */
  readonly #living = new Map<string, Map<string, string[]>>();
  readonly #unlisted: Map<string, PromiseWithResolvers<void>>;
  /** Since when an instance has had no record, by scale set and runner. */
  readonly #since = new Map<string, Map<string, number>>();

  constructor({ clock, providers }: OrphanCountDeps) {
    this.#clock = clock;
    this.#startMs = clock.monotonic();
    this.#unlisted = new Map([...providers].map((name) => [name, Promise.withResolvers<void>()]));
  }

  /** What a provider has just listed. */
  listed(provider: string, instances: readonly Instance[]): void {
    const living = Map.groupBy(
      instances.filter(({ state }) => state !== 'exited'),
      ({ scaleSetId }) => scaleSetId,
    );
    const runnerIds = [...living].map(([scaleSetId, group]): [string, string[]] => [
      scaleSetId,
      group.map(({ runnerId }) => runnerId),
    ]);
    this.#living.set(provider, new Map(runnerIds));
    this.#unlisted.get(provider)?.resolve();
    this.#unlisted.delete(provider);
  }

  /**
   * The runners of a scale set whose instances live. To be asked for before the records are read: the record
   * of an instance is written before the instance is listed. `unknown` shortly after the start, while its
   * provider has not been listed; that is waited for, but not for long.
   */
  async living({ scaleSetId, provider }: Of, signal: AbortSignal): Promise<string[] | 'unknown'> {
    await this.#firstList(provider, signal);
    if (this.#unlisted.has(provider) && !this.#isLate()) return 'unknown';
    return [...this.#living.values()].flatMap((byScaleSet) => byScaleSet.get(scaleSetId) ?? []);
  }

  /** How many of those that have no record now still count; they do not for ever. */
  count(scaleSetId: string, unrecorded: readonly string[]): number {
    const nowMs = this.#clock.monotonic();
    const before = this.#since.get(scaleSetId);
    const since = new Map(unrecorded.map((id) => [id, before?.get(id) ?? nowMs]));
    if (since.size > 0) this.#since.set(scaleSetId, since);
    else this.#since.delete(scaleSetId);
    return [...since.values()].filter((sinceMs) => nowMs - sinceMs < countedMs).length;
  }

  async #firstList(provider: string, signal: AbortSignal): Promise<void> {
    const first = this.#unlisted.get(provider)?.promise;
    if (!first || this.#isLate()) return;
    const ended = new AbortController();
    const patience = this.#clock.sleep(patienceMs, AbortSignal.any([signal, ended.signal]));
    patience.catch(() => undefined);
    await Promise.race([first, patience]).finally(() => ended.abort());
  }

  #isLate(): boolean {
    return this.#clock.monotonic() - this.#startMs >= firstListMs;
  }
}
