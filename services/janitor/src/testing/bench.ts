import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComputeProvider } from '@baton/providers';
import { GitHubClients } from '@baton/scaleset';
import {
  type Runner,
  type RunnerCommand,
  runnerKey,
  type Spec,
  streams,
} from '@baton/shared/contracts';
import { type Nats, type Outcome, Publisher } from '@baton/shared/messaging';
import {
  copyRunners,
  openRunners,
  openSpecs,
  type RunnerStore,
  type SpecStore,
} from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { type Clock, systemClock } from '@baton/shared/time';
import {
  aRunner,
  aSpec,
  at,
  eventually,
  FakeClock,
  installationId,
  startTestNats,
  startTestSimulator,
  storedMessages,
  type TestNats,
  type TestProcess,
  type TestSimulator,
} from '@baton/testkit';
import type { DeleteDeps } from '../deletion/delete-deps.ts';
import { DeleteMetrics } from '../deletion/delete-metrics.ts';
import type { DeleteQueue } from '../deletion/delete-queue.ts';
import { InstanceLists } from '../deletion/instance-lists.ts';
import { RecentSpecs } from '../deletion/recent-specs.ts';
import { serveDeletes, takeDelete } from '../deletion/serve-deletes.ts';
import { processesIn, startJanitor } from './processes.ts';

const { signal } = new AbortController();

/** A scale set that is registered at GitHub. */
export interface TestSet {
  spec: Spec;
  githubId: number;
}

/** The deletion path of one janitor process. */
export interface Janitor extends DeleteDeps {
  nats: Nats;
  queue: DeleteQueue;
}

interface JanitorOptions {
  clock?: Clock;
  deleteConcurrency?: number;
  abort?: AbortSignal;
}

interface Parts {
  specs: SpecStore;
  runners: RunnerStore;
  sim: TestSimulator;
  nats: TestNats;
  cli: Nats;
  clients: GitHubClients;
  provider: ComputeProvider;
  dir: string;
  credentialsFile: string;
}

/**
 * What janitors work with: nats-server, GitHub (simulated), processes. Time stands still for them,
 * not for GitHub and the processes. Each test takes a scale set of its own name.
 */
export class Bench implements AsyncDisposable {
  readonly clock = new FakeClock();
  /** As the operator's user may use it: for looking, and for playing others. */
  readonly runners: RunnerStore;
  readonly sim: TestSimulator;
  readonly provider: ComputeProvider;
  readonly #parts: Parts;
  #janitors = 0;

  private constructor(parts: Parts) {
    this.runners = parts.runners;
    this.sim = parts.sim;
    this.provider = parts.provider;
    this.#parts = parts;
  }

  static async start(): Promise<Bench> {
    const dir = await mkdtemp(join(tmpdir(), 'baton-janitor-'));
    const [nats, sim] = await Promise.all([startTestNats(), startTestSimulator()]);
    const cli = await nats.connect('admin');
    const credentialsFile = await sim.writeCredentials(dir);
    const clients = GitHubClients.fromFile(credentialsFile, {
      clock: systemClock,
      random: Math.random,
      log: silentLogger(),
      subsystem: 'test',
    });
    const provider = await processesIn(join(dir, 'instances'));
    const [specs, runners] = await Promise.all([openSpecs(cli), openRunners(cli)]);
    return new Bench({ specs, runners, sim, nats, cli, clients, provider, dir, credentialsFile });
  }

  get nats(): TestNats {
    return this.#parts.nats;
  }

  /** The processes of another host, as its services see them. */
  async otherHost(hostId: string): Promise<ComputeProvider> {
    return await processesIn(join(this.#parts.dir, hostId), hostId);
  }

  github() {
    return this.#parts.clients.get('github', this.sim.configUrl);
  }

  async register(name: string): Promise<TestSet> {
    const spec = aSpec({ declaration: { name, configUrl: this.sim.configUrl } });
    await this.#parts.specs.put(spec.scaleSetId, spec);
    const { client } = this.github();
    const made = await client.createScaleSet({ name, runnerGroupId: 1, labels: [name] });
    return { spec, githubId: made.id };
  }

  /** A record in the state that a provisioner left it in. */
  async record({ spec }: TestSet, part: Partial<Runner> = {}): Promise<Runner> {
    const { scaleSetId } = spec;
    const runnerId = part.runnerId ?? spec.declaration.name.replaceAll('-', '');
    const mark = { reason: 'surplus', gate: 'none', by: 'provisioner', at } as const;
    const runner = aRunner({ scaleSetId, runnerId, state: 'marked', mark, ...part });
    await this.runners.put(runnerKey(scaleSetId, runnerId), runner);
    return runner;
  }

  /** The record, as somebody else would write it. */
  async rewrite(runner: Runner): Promise<Runner> {
    await this.runners.put(runnerKey(runner.scaleSetId, runner.runnerId), runner);
    return runner;
  }

  /** A runner whose registration GitHub refuses to remove, as if it ran a job for ever. */
  async refuse(scaleSet: string, status = 400): Promise<void> {
    const typeName = 'GitHub.DistributedTask.WebApi.JobStillRunningException';
    const body = JSON.stringify({ typeName, message: 'is currently running a job' });
    const action = { kind: 'status' as const, status, body };
    await this.sim.control.addFault({ id: scaleSet, route: 'removeRunner', action });
  }

  /** A runner that is marked, runs, and is registered; not necessarily connected yet. */
  async running(set: TestSet, gate: 'none' | 'github'): Promise<Runner> {
    const { scaleSetId, declaration } = set.spec;
    const runnerId = declaration.name.replaceAll('-', '');
    const name = `${declaration.name}-${installationId}-${runnerId}`;
    const { client } = this.github();
    const jit = await client.generateJitConfig(set.githubId, { name, workFolder: '_work' });
    const who = { runnerId, runnerName: name, scaleSetId, installationId, generation: 'g1' };
    const request = { ...who, jitConfig: jit.encodedJitConfig, settings: {} };
    const { instanceId } = await this.provider.create(request, signal);
    return await this.record(set, {
      name,
      instanceId,
      githubRunnerId: jit.runner.id,
      mark: { reason: 'surplus', gate, by: 'provisioner', at },
    });
  }

  /** Plays the listener until the runner of the set has a job. */
  async giveJob({ spec, githubId }: TestSet): Promise<void> {
    const { name } = spec.declaration;
    const { client, queue } = this.github();
    await this.sim.control.addJobs({ scaleSet: name, durationMs: 60_000 });
    const { queueUrl, queueToken: token } = await client.createSession(githubId, 'test');
    await queue(githubId).getMessage({ queueUrl, token, maxCapacity: 5 });
    await eventually(async () => {
      const { runners } = await this.sim.control.state();
      const status = runners.find(({ scaleSet }) => scaleSet === name)?.status;
      if (status !== 'busy') throw new Error(`the runner is ${status ?? 'unknown'}, not busy`);
    });
  }

  /** A janitor with a connection of its own. */
  async janitor(
    provider: ComputeProvider = this.provider,
    { clock = this.clock, deleteConcurrency = 50, abort = signal }: JanitorOptions = {},
  ): Promise<Janitor> {
    const nats = await this.#parts.nats.connect('janitor');
    const [specs, runners] = await Promise.all([openSpecs(nats), openRunners(nats)]);
    const log = silentLogger();
    const deps: DeleteDeps = {
      specs: new RecentSpecs(specs, clock),
      runners,
      copy: copyRunners(nats, runners),
      providers: new Map([['local', provider]]),
      instances: new InstanceLists(clock, 60_000),
      github: (credential, configUrl) => this.#parts.clients.get(credential, configUrl),
      publisher: new Publisher(nats, log),
      metrics: new DeleteMetrics(),
      clock,
      random: () => 0.5,
      log,
      instance: `janitor-${++this.#janitors}`,
      limits: {
        deleteTimeoutMs: 60_000,
        deregisterTimeoutMs: 30_000,
        deregisterDeadlineMs: 3_600_000,
        lostDeadlineMs: 900_000,
      },
    };
    return { ...deps, nats, queue: serveDeletes(deps, { deleteConcurrency, abort }) };
  }

  /** A janitor as a process of its own, with a NATS at `natsUrl`. */
  async process(natsUrl: string): Promise<TestProcess> {
    const { nats, dir, credentialsFile } = this.#parts;
    const variables = { ...nats.variablesOf('janitor'), BATON_NATS_URL: natsUrl };
    const directory = join(dir, 'instances');
    return await startJanitor({ variables, credentialsFile, directory, dir });
  }

  get natsUrl(): string {
    return this.#parts.nats.url;
  }

  /** Has the janitor delete the runner, as a command does; resolves when it has done what it can. */
  async delete(
    janitor: Janitor,
    { scaleSetId, runnerId, traceparent }: Runner,
    operator?: RunnerCommand['operator'],
  ): Promise<Outcome> {
    const command = { v: 1 as const, scaleSetId, runnerId, traceparent, operator };
    const outcome = await takeDelete(janitor, janitor.queue, command);
    await janitor.queue.idle();
    return outcome;
  }

  /** Lets time pass from try to try, for so long at the most, until the record is gone. */
  async retry(janitor: Janitor, runner: Runner, forMs: number): Promise<void> {
    const end = this.clock.now() + forMs;
    for (;;) {
      const { retryAt } = (await this.read(runner))?.deletion ?? {};
      if (retryAt === undefined || Date.parse(retryAt) > end) break;
      await this.clock.advance(Math.max(0, Date.parse(retryAt) - this.clock.now()));
      await this.delete(janitor, runner);
    }
    await this.clock.advance(Math.max(0, end - this.clock.now()));
  }

  async read({ scaleSetId, runnerId }: Runner): Promise<Runner | undefined> {
    return (await this.runners.get(runnerKey(scaleSetId, runnerId)))?.value;
  }

  async hasInstance({ runnerId }: Runner): Promise<boolean> {
    const instances = await this.provider.list(signal);
    return instances.some((instance) => instance.runnerId === runnerId);
  }

  async isRegistered({ name }: Runner): Promise<boolean> {
    const { registrations } = await this.sim.control.books();
    return registrations.includes(name);
  }

  /** The types of the events about a runner, in their order. */
  async events(runner: Runner): Promise<string[]> {
    return (await this.told(runner)).map(({ type = '' }) => type);
  }

  /** The events about a runner, whole. */
  async told({ runnerId }: Runner): Promise<Record<string, string>[]> {
    return await this.#about(streams.events, runnerId);
  }

  /** The commands about a runner: its id, once for each. */
  async commands({ runnerId }: Runner): Promise<string[]> {
    return (await this.#about(streams.commands, runnerId)).map(() => runnerId);
  }

  async #about(stream: string, runnerId: string): Promise<Record<string, string>[]> {
    const stored = await storedMessages(this.#parts.cli, stream);
    return stored
      .map(({ data }) => data as Record<string, string>)
      .filter((message) => message.runnerId === runnerId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { provider, clients, nats, sim, dir } = this.#parts;
    const instances = await provider.list(signal);
    await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, signal)));
    await clients.close();
    await Promise.all([nats[Symbol.asyncDispose](), sim[Symbol.asyncDispose]()]);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
