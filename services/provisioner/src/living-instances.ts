import type { Instance } from '@baton/providers';
import { runnerKey } from '@baton/shared/contracts';
import type { Clock } from '@baton/shared/time';

/** Planning waits so long for the first list of a provider, in ms. */
const patienceMs = 1_000;
/** A provider that has not been listed so long after the start is not waited for, in ms. */
const firstListMs = 10_000;
/** So long an instance counts without a record, in ms: by then janitors have adopted what can be. */
const countedMs = 900_000;

interface LivingInstancesDeps {
  clock: Clock;
  /** The names of the providers that are listed. */
  providers: Iterable<string>;
}

interface ScaleSetPlace {
  scaleSetId: string;
  provider: string;
}

/**
 * The instances that live, by the providers' last lists, for those that have no record, or one that knows
 * nothing of them: when NATS was lost, or an old copy of it was restored. Until janitors have adopted such
 * instances, nothing else tells that they run the jobs which GitHub counts, and each of these would be
 * given a second runner.
 */
export class LivingInstances {
  readonly #clock: Clock;
  readonly #startMs: number;
  /** The runners of each scale set, by provider. */
  readonly #living = new Map<string, Map<string, Set<string>>>();
  readonly #unlisted: Map<string, PromiseWithResolvers<void>>;
  /** Since when a runner has had an instance and no record, by key. */
  #orphanSince = new Map<string, number>();

  constructor({ clock, providers }: LivingInstancesDeps) {
    this.#clock = clock;
    this.#startMs = clock.monotonic();
    this.#unlisted = new Map([...providers].map((name) => [name, Promise.withResolvers<void>()]));
  }

  /** What a provider has just listed. */
  listed(provider: string, instances: readonly Instance[]): void {
    const living = new Map<string, Set<string>>();
    for (const { scaleSetId, runnerId, state } of instances) {
      if (state === 'exited') continue;
      const group = living.get(scaleSetId) ?? new Set();
      living.set(scaleSetId, group.add(runnerId));
    }
    this.#living.set(provider, living);
    this.#unlisted.get(provider)?.resolve();
    this.#unlisted.delete(provider);
  }

  /** Whether the runner had an instance lately. Waits for the first list as `of` does. */
  async has(runner: ScaleSetPlace & { runnerId: string }, signal: AbortSignal): Promise<boolean> {
    const { scaleSetId, runnerId, provider } = runner;
    await this.#firstList(provider, signal);
    return [...this.#living.values()].some((living) => living.get(scaleSetId)?.has(runnerId));
  }

  /**
   * The runners of a scale set whose instances live. To be asked for before the records are read: the record
   * of an instance is written before the instance is listed. `unknown` shortly after the start, while its
   * provider has not been listed; that is waited for, but not for long.
   */
  async of(place: ScaleSetPlace, signal: AbortSignal): Promise<string[] | 'unknown'> {
    const { scaleSetId, provider } = place;
    await this.#firstList(provider, signal);
    if (this.#unlisted.has(provider) && !this.#isLate()) return 'unknown';
    return [...this.#living.values()].flatMap((living) => [...(living.get(scaleSetId) ?? [])]);
  }

  /** How many of those that have no record now are to be counted; none is for ever. */
  countOrphans(scaleSetId: string, unrecorded: readonly string[]): number {
    const nowMs = this.#clock.monotonic();
    const before = this.#orphanSince;
    const since = unrecorded.map((runnerId): [string, number] => {
      const key = runnerKey(scaleSetId, runnerId);
      return [key, before.get(key) ?? nowMs];
    });
    const others = [...before].filter(([key]) => !key.startsWith(runnerKey(scaleSetId, '')));
    this.#orphanSince = new Map([...others, ...since]);
    return since.filter(([, sinceMs]) => nowMs - sinceMs < countedMs).length;
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
