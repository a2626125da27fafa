import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ComputeProvider, createProvider } from '@baton/providers';
import { type GitHubClient, GitHubClients } from '@baton/scaleset';
import type { Secret } from '@baton/shared/config';
import {
  type Demand,
  type Plan,
  type Runner,
  runnerKey,
  type ScaleSetDeclaration,
  type Spec,
  streams,
} from '@baton/shared/contracts';
import { answerProbes, type Holder, LivenessProber } from '@baton/shared/lease';
import { Hints, type Nats, Publisher } from '@baton/shared/messaging';
import {
  copyRunners,
  openPlans,
  openRegistrations,
  openRunners,
  openSessions,
  openSpecs,
} from '@baton/shared/stores';
import { Metrics, silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import {
  aDemand,
  aSessionRecord,
  aSpec,
  FakeClock,
  installationId,
  startTestNats,
  startTestSimulator,
  storedMessages,
  type TestNats,
  type TestSimulator,
} from '@baton/testkit';
import { CapacityShare } from '../capacity-share.ts';
import { ConditionEvents } from '../condition-events.ts';
import { measure } from '../measure.ts';
import { Planner } from '../planner.ts';
import { providerGates } from '../provider-gate.ts';
import { RecentDeclarations } from '../recent-declarations.ts';
import { SideBySide } from '../side-by-side.ts';

const runScript = fileURLToPath(
  new URL('../../../../packages/github-sim/bin/run.sh', import.meta.url),
);

async function openStores(nats: Nats) {
  const [specs, registrations, sessions, plans, runners] = await Promise.all([
    openSpecs(nats),
    openRegistrations(nats),
    openSessions(nats),
    openPlans(nats),
    openRunners(nats),
  ]);
  return { specs, registrations, sessions, plans, runners };
}

async function deleteAll(provider: ComputeProvider): Promise<void> {
  const never = new AbortController().signal;
  for (const { instanceId } of await provider.list(never)) await provider.delete(instanceId, never);
}

interface Making {
  /** Name of its provider: the scale sets of a provider share its room. */
  name?: string;
  /** It answers probes, as a living one does. */
  alive?: boolean;
  /** Providers besides `local`, by name. */
  others?: Record<string, ComputeProvider>;
}

type Stores = Awaited<ReturnType<typeof openStores>>;

/** Everything a provisioner's functions take, as `run` puts it together. */
export type Provisioner = Awaited<ReturnType<Bench['provisioner']>>;

/**
 * What provisioners work with: nats-server, GitHub (simulated), processes. Time stands still for
 * them, not for GitHub and the processes. Each test takes a scale set of its own name.
 */
export class Bench implements AsyncDisposable {
  readonly clock = new FakeClock();
  /** All buckets, as the operator's user may use them: for looking, and for playing others. */
  readonly stores: Stores;
  readonly sim: TestSimulator;
  /** Of the operator's user, who may read all. */
  readonly cli: Nats;
  readonly #nats: TestNats;
  readonly #clients: GitHubClients;
  readonly #dir: string;
  readonly #providers: ComputeProvider[] = [];
  #provisioners = 0;

  private constructor(parts: {
    stores: Stores;
    sim: TestSimulator;
    nats: TestNats;
    cli: Nats;
    clients: GitHubClients;
    dir: string;
  }) {
    this.stores = parts.stores;
    this.sim = parts.sim;
    this.#nats = parts.nats;
    this.cli = parts.cli;
    this.#clients = parts.clients;
    this.#dir = parts.dir;
  }

  static async start(): Promise<Bench> {
    const dir = await mkdtemp(join(tmpdir(), 'baton-provisioner-'));
    const [nats, sim] = await Promise.all([startTestNats(), startTestSimulator()]);
    const cli = await nats.connect('admin');
    const stores = await openStores(cli);
    const clients = GitHubClients.fromFile(await sim.writeCredentials(dir), {
      clock: systemClock,
      random: Math.random,
      log: silentLogger(),
      subsystem: 'test',
    });
    return new Bench({ stores, sim, nats, cli, clients, dir });
  }

  /** A declared scale set that no listener has registered. */
  async declare(name: string, declaration: Partial<ScaleSetDeclaration> = {}): Promise<Spec> {
    const { configUrl } = this.sim;
    const spec = aSpec({ declaration: { name, configUrl, ...declaration } });
    await this.stores.specs.put(spec.scaleSetId, spec);
    return spec;
  }

  /** A declared scale set that is registered at GitHub. */
  async register(name: string, declaration: Partial<ScaleSetDeclaration> = {}): Promise<Spec> {
    const spec = await this.declare(name, declaration);
    const labels = [name];
    const made = await this.github().createScaleSet({ name, runnerGroupId: 1, labels });
    const { scaleSetId } = spec;
    const github = { scaleSetId: made.id, runnerGroupId: 1, createdByUs: true, registered: '' };
    const registration = { v: 1 as const, installationId, scaleSetId, github };
    await this.stores.registrations.put(scaleSetId, registration);
    return spec;
  }

  /** Plays the listener: the demand that it wrote last. */
  async demand({ scaleSetId }: Spec, part: Partial<Demand>): Promise<void> {
    const known = (await this.stores.sessions.get(scaleSetId))?.value;
    const demand = aDemand(part);
    await this.stores.sessions.put(scaleSetId, {
      ...aSessionRecord({ scaleSetId }),
      ...known,
      demand,
    });
  }

  github(): GitHubClient['client'] {
    return this.#clients.get('github', this.sim.configUrl).client;
  }

  /** Plays the listener's session for one poll, so that GitHub assigns jobs. */
  async assignJobs({ scaleSetId }: Spec): Promise<void> {
    const registration = (await this.stores.registrations.get(scaleSetId))?.value;
    const id = registration?.github?.scaleSetId ?? 0;
    const { client, queue } = this.#clients.get('github', this.sim.configUrl);
    const { queueUrl, queueToken: token } = await client.createSession(id, 'test');
    await queue(id).getMessage({ queueUrl, token, maxCapacity: 5 });
  }

  /** The JIT config of a runner name, as GitHub gives it once. */
  async jitConfig({ scaleSetId }: Spec, name: string): Promise<Secret> {
    const registration = (await this.stores.registrations.get(scaleSetId))?.value;
    const id = registration?.github?.scaleSetId ?? 0;
    const runner = { name, workFolder: '_work' };
    return (await this.github().generateJitConfig(id, runner)).encodedJitConfig;
  }

  /** Processes of this host as a provider; two in one folder are two services' views of one. */
  async processes(
    folder: string,
    {
      maxInstances = 50,
      command = [runScript] as [string, ...string[]],
      hostId,
    }: { maxInstances?: number; command?: [string, ...string[]]; hostId?: string } = {},
  ): Promise<ComputeProvider> {
    const provider = await createProvider(
      {
        type: 'process',
        directory: join(this.#dir, folder),
        command,
        maxInstances,
        env: { BATON_NODE: process.execPath },
        stopTimeoutMs: 500,
        hostId,
      },
      { installationId, clock: systemClock, env: {} },
    );
    this.#providers.push(provider);
    return provider;
  }

  /**
   * A provisioner with a connection of its own. `alive`: it answers probes, as a living one does.
   * `name` of its provider: the scale sets of a provider share its room.
   */
  async provisioner(
    provider: ComputeProvider,
    { alive = true, name = 'local', others = {} }: Making = {},
  ) {
    const { clock } = this;
    const instance = `provisioner-${++this.#provisioners}`;
    const nats = await this.#nats.connect('provisioner', { clock });
    const holder: Holder = { v: 1, identity: instance, incarnation: `of-${instance}` };
    if (alive) answerProbes(nats, holder);
    const stores = await openStores(nats);
    const providers = new Map(Object.entries({ [name]: provider, ...others }));
    const { signal } = new AbortController();
    const log = silentLogger();
    const random = () => 0.5;
    const gates = providerGates(providers, { clock, random, log, signal });
    const publisher = new Publisher(nats, log);
    const common = {
      ...stores,
      copy: copyRunners(nats, stores.runners),
      publisher,
      hints: new Hints(nats),
      capacity: new CapacityShare({ ...stores, gates, clock }),
      conditions: new ConditionEvents({ publisher, clock, log, instance }),
      clock,
      random,
      log,
      installationId,
      instance,
      signal,
      ...measure(gates, new Metrics()),
    };
    return {
      ...common,
      nats,
      planner: new Planner(common),
      providers,
      provider,
      github: (credential: string, configUrl: string) => this.#clients.get(credential, configUrl),
      gates,
      createTimeoutMs: 60_000,
      jitTimeoutMs: 15_000,
      holder,
      prober: new LivenessProber(nats),
      declarations: new RecentDeclarations({ ...stores, clock }),
      inProgress: new Set<string>(),
      githubLookEveryMs: 60_000,
      passes: new SideBySide({ clock, onError: () => undefined }),
    };
  }

  /** A scale set that needs one runner, planned by `provisioner`; returns the runner's record. */
  async requested(spec: Spec, { planner }: Provisioner): Promise<Runner> {
    await this.demand(spec, { assigned: 1 });
    await planner.reconcile(spec.scaleSetId);
    const [runner] = await this.runnersOf(spec);
    if (!runner) throw new Error('no runner was requested');
    return runner;
  }

  async planOf({ scaleSetId }: Spec): Promise<Plan> {
    const entry = await this.stores.plans.get(scaleSetId);
    if (!entry) throw new Error(`${scaleSetId} has no plan`);
    return entry.value;
  }

  async runnersOf({ scaleSetId }: Spec): Promise<Runner[]> {
    return (await this.stores.runners.list(scaleSetId)).map(({ value }) => value);
  }

  async runner({ scaleSetId }: Spec, runnerId: string): Promise<Runner | undefined> {
    return (await this.stores.runners.get(runnerKey(scaleSetId, runnerId)))?.value;
  }

  /** The runner ids of the commands that were stored. */
  async commands(verb: 'create' | 'delete', { scaleSetId }: Spec): Promise<string[]> {
    return (await storedMessages(this.cli, streams.commands))
      .filter(({ subject }) => subject === `baton.v1.command.${verb}.${scaleSetId}`)
      .map(({ data }) => (data as { runnerId: string }).runnerId);
  }

  /** The types of the events of a scale set, in their order; or what else they say. */
  async events({ scaleSetId }: Spec, field = 'type'): Promise<(string | undefined)[]> {
    return (await storedMessages(this.cli, streams.events))
      .map(({ data }) => data as Record<string, string | undefined>)
      .filter((event) => event.scaleSetId === scaleSetId)
      .map((event) => event[field]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#providers.map(deleteAll));
    await this.#clients.close();
    await Promise.all([this.#nats[Symbol.asyncDispose](), this.sim[Symbol.asyncDispose]()]);
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
