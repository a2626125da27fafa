import type { SimControl } from '@baton/github-sim';
import { loadConfig, natsVariables } from '@baton/shared/config';
import { type Runner, type RunnerState, runnerKey, runnerStates } from '@baton/shared/contracts';
import { connectNats, type Nats } from '@baton/shared/messaging';
import {
  listScaleSetIds,
  openPlans,
  openRunners,
  openSessions,
  openSpecs,
  openStatus,
} from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { LocalStack } from '../local-stack.ts';
import type { ScaleSetLine, Snapshot } from './snapshot.ts';

type Records = Pick<Snapshot, 'scaleSets' | 'runners'>;
type Stores = Awaited<ReturnType<typeof openStores>>;

interface ObserverParts {
  nats: Nats;
  stores: Stores;
  sim: SimControl | undefined;
  clock: Clock;
}

const creatingStates: readonly RunnerState[] = ['requested', 'creating', 'starting'];
const aliveStates: readonly RunnerState[] = [...creatingStates, 'idle', 'busy'];

/** Looks at a stack for the view: jobs by the simulator, the rest by Baton's records. */
export class Observer implements AsyncDisposable {
  readonly #parts: ObserverParts;
  readonly #startedAt: number;
  #records: Records = { scaleSets: [], runners: [] };
  /** Keys of runners that a plan named and that may still have a record. */
  #runnerKeys: ReadonlySet<string> = new Set();

  private constructor(parts: ObserverParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.monotonic();
  }

  static async open(stack: LocalStack, clock: Clock): Promise<Observer> {
    const settings = loadConfig(natsVariables, stack.variablesOf('cli'));
    const nats = await connectNats({ ...settings, name: 'stack', log: silentLogger(), clock });
    return new Observer({ nats, stores: await openStores(nats), sim: stack.sim, clock });
  }

  /** What cannot be read just now (NATS is down) is as it was last seen. */
  async snapshot(wanted: number | undefined): Promise<Snapshot> {
    const { sim, clock } = this.#parts;
    const jobs = (await sim?.state())?.jobs;
    this.#records = await this.#readRecords().catch(() => this.#records);
    return {
      elapsedMs: clock.monotonic() - this.#startedAt,
      ...(jobs
        ? {
            jobs: {
              wanted,
              queued: jobs.queued + jobs.available,
              assigned: jobs.assigned,
              running: jobs.running,
              done: jobs.completed,
            },
          }
        : {}),
      ...this.#records,
    };
  }

  /** Whether a runner is on its way: asked for, and not online yet. */
  async isCreating(): Promise<boolean> {
    const ids = await listScaleSetIds(this.#parts.stores.specs);
    return (await this.#readRunners(ids)).some(({ state }) => creatingStates.includes(state));
  }

  /** The listeners that have a session. */
  async holders(): Promise<string[]> {
    const statuses = await this.#parts.stores.statuses.list();
    const polling = statuses.filter(({ value }) => value.state === 'polling');
    return [...new Set(polling.map(({ value }) => value.owner))].sort();
  }

  async #readRecords(): Promise<Records> {
    const { stores, clock } = this.#parts;
    const ids = await listScaleSetIds(stores.specs);
    const runners = await this.#readRunners(ids);
    const lines = await Promise.all(ids.map((id) => readScaleSet(stores, id, { runners, clock })));
    const scaleSets = lines.filter((line) => line !== undefined);
    return {
      scaleSets: scaleSets.sort((a, b) => (a.name < b.name ? -1 : 1)),
      runners: countStates(runners),
    };
  }

  /** Those that a plan names, and those that one named before. The bucket's list never shrinks. */
  async #readRunners(scaleSetIds: readonly string[]): Promise<Runner[]> {
    const { plans, runners } = this.#parts.stores;
    const planned = (await plans.getMany(scaleSetIds)).flatMap(({ key, value }) =>
      value.runners.map(({ runnerId }) => runnerKey(key, runnerId)),
    );
    const found = await runners.getMany([...new Set([...this.#runnerKeys, ...planned])]);
    this.#runnerKeys = new Set(found.map(({ key }) => key));
    return found.map(({ value }) => value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.nats[Symbol.asyncDispose]();
  }
}

async function openStores(nats: Nats) {
  const [specs, sessions, statuses, plans, runners] = await Promise.all([
    openSpecs(nats),
    openSessions(nats),
    openStatus(nats),
    openPlans(nats),
    openRunners(nats),
  ]);
  return { specs, sessions, statuses, plans, runners };
}

async function readScaleSet(
  stores: Stores,
  scaleSetId: string,
  { runners, clock }: { runners: readonly Runner[]; clock: Clock },
): Promise<ScaleSetLine | undefined> {
  const [spec, status, session] = await Promise.all([
    stores.specs.get(scaleSetId),
    stores.statuses.get(scaleSetId),
    stores.sessions.get(scaleSetId),
  ]);
  if (!spec) return undefined;
  const { name, maxRunners } = spec.value.declaration;
  const { state = 'pending', reason, owner, since } = status?.value ?? {};
  const own = runners.filter((runner) => runner.scaleSetId === scaleSetId);
  return {
    name,
    state,
    reason,
    owner,
    forMs: since === undefined ? undefined : clock.now() - Date.parse(since),
    assigned: session?.value.demand?.assigned ?? 0,
    alive: own.filter((runner) => aliveStates.includes(runner.state)).length,
    busy: own.filter((runner) => runner.state === 'busy').length,
    max: maxRunners,
  };
}

function countStates(runners: readonly Runner[]): Records['runners'] {
  return runnerStates
    .map((state) => ({ state, count: runners.filter((runner) => runner.state === state).length }))
    .filter(({ count }) => count > 0);
}
