import type { Registration, Spec } from '@baton/shared/contracts';
import type { RegistrationStore, SpecStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import { type Cached, cached } from './cached.ts';

interface Deps {
  specs: SpecStore;
  registrations: RegistrationStore;
  clock: Clock;
}

/** What was read is used for this long, in ms. */
const freshMs = 1_000;

/**
 * What a scale set declares, and what it is at GitHub, for who creates many of its runners: read once a
 * second, not for each. What is not there is asked for every time.
 */
export class RecentDeclarations {
  readonly #deps: Deps;
  readonly #specs = new Map<string, Cached<Spec | undefined>>();
  readonly #registrations = new Map<string, Cached<Registration | undefined>>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * The spec, for a runner of this generation. One of another generation is read anew: settings of the
   * old must not make a runner that counts as new, for it would never be rotated out.
   */
  async spec(scaleSetId: string, generation: string): Promise<Spec | undefined> {
    const known = await this.#recent(this.#specs, scaleSetId, this.#deps.specs);
    if (known?.generation === generation) return known;
    this.#specs.delete(scaleSetId);
    return await this.#recent(this.#specs, scaleSetId, this.#deps.specs);
  }

  async registration(scaleSetId: string): Promise<Registration | undefined> {
    return await this.#recent(this.#registrations, scaleSetId, this.#deps.registrations);
  }

  async #recent<T>(
    answers: Map<string, Cached<T | undefined>>,
    scaleSetId: string,
    store: { get: (key: string) => Promise<{ value: T } | undefined> },
  ): Promise<T | undefined> {
    const ask = async () => (await store.get(scaleSetId))?.value;
    const answer = cached(answers.get(scaleSetId), freshMs, this.#deps.clock, ask);
    answers.set(scaleSetId, answer);
    const value = await answer.value;
    if (value === undefined) answers.delete(scaleSetId);
    return value;
  }
}
