import type { ComputeProvider, Instance } from '@baton/providers';
import type { GitHubClient, Runner as Registration } from '@baton/scaleset';
import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { listScaleSetIds, type RunnerCopy, type SpecStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import { type Listed, SharedList, sharedMs } from './shared-list.ts';
import {
  type InstanceView,
  type RegistrationView,
  type SweepViews,
  scopeOf,
  type View,
} from './sweep.ts';

export interface ViewDeps {
  specs: SpecStore;
  copy: RunnerCopy;
  providers: ReadonlyMap<string, ComputeProvider>;
  github: (credential: string, configUrl: string) => GitHubClient;
  installationId: string;
  clock: Clock;
  /** Ends what is asked for. */
  signal: AbortSignal;
}

/** Which lists a run needs. */
export interface Wanted {
  /** Names of providers. */
  providers: readonly string[];
  /** GitHub's lists: none, those of scale sets that have records, all, or those of these scale sets. */
  registrations: 'none' | 'with records' | 'all' | ReadonlySet<string>;
  /** When the lists that were looked at last were asked for: none is given twice. */
  seen: ReadonlyMap<string, number>;
}

/** What was to be had. */
export interface Collected {
  views: SweepViews;
  /** Which lists are missing, and why. */
  problems: string[];
  /** When each list was asked for, of the monotonic clock: `seen` of the next run. */
  asked: Map<string, number>;
}

/** Where the provider does not say, in ms; as the provisioner has it. */
const listTimeoutMs = 10_000;
const githubTimeoutMs = 30_000;

/**
 * Reads what sweeps decide from. Lists are asked for side by side; one that fails or hangs is left out
 * and keeps nobody waiting for longer than fifteen seconds. Sweeps that run together share them.
 */
export class Views {
  readonly #deps: ViewDeps;
  /** The records that were read last: those who read the same share them. */
  #records: { entries: ReturnType<RunnerCopy['all']>; items: readonly Runner[] } | undefined;
  readonly #instances = new Map<string, SharedList<Instance>>();
  readonly #registrations = new Map<string, SharedList<Registration>>();
  #specs: { atMs: number; read: Promise<ReadonlyMap<string, Spec>> } | undefined;

  constructor(deps: ViewDeps) {
    this.#deps = deps;
  }

  /** @throws AppError `nats` when the records or specs cannot be read. */
  async collect(wanted: Wanted, signal: AbortSignal): Promise<Collected> {
    const [specs, before] = await Promise.all([this.#readSpecs(), this.#readRecords()]);
    const problems: string[] = [];
    const asked = new Map<string, number>();
    const lists: Listed<unknown>[] = [];
    const take = async <T>(key: string, list: SharedList<T>): Promise<Listed<T> | undefined> => {
      const newerThanMs = wanted.seen.get(key) ?? Number.NEGATIVE_INFINITY;
      try {
        const listed = await list.take(before, { newerThanMs, signal });
        asked.set(key, listed.askedMonotonicMs);
        lists.push(listed);
        return listed;
      } catch (error) {
        signal.throwIfAborted();
        problems.push(`${key}: ${errorText(error)}`);
        return undefined;
      }
    };
    const [instances, registrations] = await Promise.all([
      this.#takeInstances(wanted, take),
      this.#takeRegistrations(scopesOf(specs, before, wanted), take),
    ]);
    this.#forgetScopes(specs);
    const after = await this.#readRecords();
    const { copy, installationId, clock } = this.#deps;
    const views = {
      before: oldest([before, ...lists.map((list) => list.before)]),
      after,
      wasDeleted: (scaleSetId: string, runnerId: string) =>
        copy.lookup(runnerKey(scaleSetId, runnerId)).kind === 'deleted',
      instances,
      registrations,
      specs,
      installationId,
      nowMs: clock.now(),
      monotonicMs: clock.monotonic(),
    };
    return { views, problems, asked };
  }

  async #takeInstances({ providers: names }: Wanted, take: Take) {
    const views = new Map<string, InstanceView>();
    await Promise.all(
      names.map(async (name) => {
        const provider = this.#deps.providers.get(name);
        if (!provider) return;
        const listed = await take(`instances of ${name}`, this.#instanceList(name, provider));
        if (listed) views.set(name, { ...viewOf(listed), provider });
      }),
    );
    return views;
  }

  async #takeRegistrations(scopes: ReadonlyMap<string, Spec['declaration']>, take: Take) {
    const views = new Map<string, RegistrationView>();
    await Promise.all(
      [...scopes].map(async ([scope, { credential, configUrl }]) => {
        const list = this.#registrationList(scope, { credential, configUrl });
        const listed = await take(`runners of ${configUrl} as "${credential}"`, list);
        if (listed) views.set(scope, { ...viewOf(listed), credential, configUrl });
      }),
    );
    return views;
  }

  #instanceList(name: string, provider: ComputeProvider): SharedList<Instance> {
    const known = this.#instances.get(name);
    if (known) return known;
    const list = new SharedList({
      what: `list instances of ${name}`,
      ...this.#deps,
      timeoutMs: provider.listTimeoutMs ?? listTimeoutMs,
      list: (signal) => provider.list(signal),
    });
    this.#instances.set(name, list);
    return list;
  }

  #registrationList(
    scope: string,
    { credential, configUrl }: Pick<Spec['declaration'], 'credential' | 'configUrl'>,
  ): SharedList<Registration> {
    const known = this.#registrations.get(scope);
    if (known) return known;
    const list = new SharedList({
      what: "list github's runners",
      ...this.#deps,
      timeoutMs: githubTimeoutMs,
      // Found at each call: the credential may have been renamed, or not be there any more.
      list: (signal) => this.#deps.github(credential, configUrl).client.listRunners({ signal }),
    });
    this.#registrations.set(scope, list);
    return list;
  }

  #forgetScopes(specs: ReadonlyMap<string, Spec>): void {
    const known = new Set([...specs.values()].map(scopeOf));
    for (const scope of this.#registrations.keys())
      if (!known.has(scope)) this.#registrations.delete(scope);
  }

  /** Shared like the lists: one read for each scale set. */
  async #readSpecs(): Promise<ReadonlyMap<string, Spec>> {
    const nowMs = this.#deps.clock.monotonic();
    if (!this.#specs || nowMs - this.#specs.atMs > sharedMs) {
      this.#specs = { atMs: nowMs, read: this.#listSpecs() };
    }
    try {
      return await this.#specs.read;
    } catch (error) {
      this.#specs = undefined;
      throw error;
    }
  }

  async #listSpecs(): Promise<Map<string, Spec>> {
    const { specs } = this.#deps;
    const entries = await specs.getMany(await listScaleSetIds(specs));
    return new Map(entries.map(({ key, value }) => [key, value]));
  }

  async #readRecords(): Promise<View<Runner>> {
    const { copy, clock } = this.#deps;
    const asked = { askedMs: clock.now(), askedMonotonicMs: clock.monotonic() };
    await copy.sync();
    const entries = copy.all();
    if (this.#records?.entries !== entries) {
      this.#records = { entries, items: entries.map(({ value }) => value) };
    }
    return { items: this.#records.items, ...asked };
  }
}

type Take = <T>(key: string, list: SharedList<T>) => Promise<Listed<T> | undefined>;

function viewOf<T>({ items, askedMs, askedMonotonicMs }: Listed<T>): View<T> {
  return { items, askedMs, askedMonotonicMs };
}

/** The lists of GitHub that a run has to look at. */
function scopesOf(
  specs: ReadonlyMap<string, Spec>,
  before: View<Runner>,
  { registrations }: Wanted,
): Map<string, Spec['declaration']> {
  if (registrations === 'none') return new Map();
  const wanted =
    registrations === 'with records'
      ? new Set(before.items.map(({ scaleSetId }) => scaleSetId))
      : registrations;
  const concerned = [...specs.values()].filter(
    ({ scaleSetId }) => wanted === 'all' || wanted.has(scaleSetId),
  );
  return new Map(concerned.map((spec) => [scopeOf(spec), spec.declaration]));
}

/** What was there at the oldest of these times and is on none of the lists that came later has gone. */
function oldest(views: readonly View<Runner>[]): View<Runner> {
  return views.reduce((a, b) => (b.askedMonotonicMs < a.askedMonotonicMs ? b : a));
}
